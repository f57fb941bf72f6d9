import { z } from 'zod';
import { StepFunctionsError } from './errors.ts';
import type { ExecutionRegistry } from './execution-registry.ts';
import type { Json } from './interpreter.ts';
import { page } from './paging.ts';
import type { RegisteredStateMachine, StateMachines } from './state-machines.ts';
import type { TaskTokens } from './tasks.ts';

/** Maps a request's body to the answer's. @throws StepFunctionsError */
export type Operation = (request: unknown) => object;

export interface Services {
  readonly stateMachines: StateMachines;
  readonly executions: ExecutionRegistry;
  readonly tokens: TaskTokens;
}

const LONGEST_PAYLOAD_BYTES = 256 * 1024;

const arn = z.string().min(1).max(256);
const payload = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= LONGEST_PAYLOAD_BYTES, 'longer than 262144 bytes');
const pageOfList = {
  maxResults: z.int().min(0).max(1000).optional(),
  nextToken: z.string().min(1).max(3096).optional(),
};
const taskToken = z.string().min(1).max(2048);
const errorDetails = {
  error: z.string().max(256).optional(),
  cause: z.string().max(32_768).optional(),
};
const status = z.enum([
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'ABORTED',
  'PENDING_REDRIVE',
]);

/** The served operations, by the name in X-Amz-Target. */
export function createOperations(services: Services): ReadonlyMap<string, Operation> {
  const { stateMachines, executions, tokens } = services;
  return new Map(
    Object.entries({
      CreateStateMachine: operation(
        z.object({
          name: z.string(),
          definition: z.string().min(1),
          roleArn: arn,
          type: z.enum(['STANDARD', 'EXPRESS']).default('STANDARD'),
        }),
        ({ name, definition, roleArn, type }) => {
          if (type === 'EXPRESS') {
            throw new StepFunctionsError(
              'StateMachineTypeNotSupported',
              'Only STANDARD state machines are supported',
            );
          }
          const machine = stateMachines.create(name, definition, roleArn);
          return { stateMachineArn: machine.arn, creationDate: machine.creationDate };
        },
      ),

      DeleteStateMachine: operation(z.object({ stateMachineArn: arn }), ({ stateMachineArn }) => {
        stateMachines.delete(stateMachineArn);
        executions.stopAll(stateMachineArn);
        return {};
      }),

      DescribeStateMachine: operation(z.object({ stateMachineArn: arn }), ({ stateMachineArn }) => {
        const machine = stateMachines.get(stateMachineArn);
        return {
          ...stateMachineSummary(machine),
          status: 'ACTIVE',
          definition: machine.definition,
          roleArn: machine.roleArn,
        };
      }),

      ListStateMachines: operation(z.object(pageOfList), (request) => {
        const { items, nextToken } = page(
          'state machines',
          stateMachines.list(),
          ({ sequence }) => sequence,
          request,
        );
        return { stateMachines: items.map(stateMachineSummary), nextToken };
      }),

      StartExecution: operation(
        z.object({
          stateMachineArn: arn,
          name: z.string().optional(),
          input: payload.optional(),
        }),
        ({ stateMachineArn, name, input }) => {
          const execution = executions.start(stateMachines.get(stateMachineArn), name, input);
          return { executionArn: execution.arn, startDate: execution.startDate };
        },
      ),

      DescribeExecution: operation(z.object({ executionArn: arn }), ({ executionArn }) =>
        executions.get(executionArn).describe(),
      ),

      ListExecutions: operation(
        z.object({ stateMachineArn: arn, statusFilter: status.optional(), ...pageOfList }),
        ({ stateMachineArn, statusFilter, ...request }) => {
          const machine = stateMachines.get(stateMachineArn);
          const { items, nextToken } = page(
            `executions ${machine.arn} ${statusFilter ?? ''}`,
            executions
              .listOf(machine.arn)
              .filter((execution) => (statusFilter ?? execution.status) === execution.status),
            ({ sequence }) => -sequence,
            request,
          );
          return { executions: items.map((execution) => execution.summary()), nextToken };
        },
      ),

      GetExecutionHistory: operation(
        z.object({ executionArn: arn, reverseOrder: z.boolean().default(false), ...pageOfList }),
        ({ executionArn, reverseOrder, ...request }) => {
          const { events } = executions.get(executionArn).history;
          const { items, nextToken } = page(
            `history ${executionArn} ${String(reverseOrder)}`,
            reverseOrder ? events.toReversed() : events,
            ({ id }) => (reverseOrder ? -id : id),
            request,
          );
          return { events: items, nextToken };
        },
      ),

      StopExecution: operation(
        z.object({ executionArn: arn, ...errorDetails }),
        ({ executionArn, error, cause }) => {
          const execution = executions.get(executionArn);
          execution.stop({ error, cause });
          return { stopDate: execution.summary()['stopDate'] };
        },
      ),

      SendTaskSuccess: operation(
        z.object({ taskToken, output: payload }),
        ({ taskToken: token, output }) => {
          const result = parseOutput(output);
          tokens.openTask(token).succeed(result);
          return {};
        },
      ),

      SendTaskFailure: operation(
        z.object({ taskToken, ...errorDetails }),
        ({ taskToken: token, error = '', cause = '' }) => {
          tokens.openTask(token).fail(error, cause);
          return {};
        },
      ),

      SendTaskHeartbeat: operation(z.object({ taskToken }), ({ taskToken: token }) => {
        tokens.openTask(token).heartbeat();
        return {};
      }),
    }),
  );
}

function operation<Schema extends z.ZodType>(
  schema: Schema,
  answer: (request: z.output<Schema>) => object,
): Operation {
  return (body) => {
    const request = schema.safeParse(body);
    if (!request.success) {
      throw new StepFunctionsError(
        'ValidationException',
        request.error.issues
          .map(({ path, message }) => `Value at '${path.join('.')}': ${message}`)
          .join('; '),
      );
    }
    return answer(request.data);
  };
}

function stateMachineSummary(machine: RegisteredStateMachine): object {
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    type: 'STANDARD',
    creationDate: machine.creationDate,
  };
}

function parseOutput(output: string): Json {
  try {
    return JSON.parse(output) as Json;
  } catch (error) {
    throw new StepFunctionsError('InvalidOutput', `Invalid Output: '${String(error)}'`, {
      cause: error,
    });
  }
}
