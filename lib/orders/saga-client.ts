import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ExecutionAlreadyExists,
  InvalidToken,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { stateMachineClient } from '../platform/aws/state-machine-client.ts';
import { InfrastructureUnavailable } from '../platform/errors.ts';
import type { Runtime } from '../platform/lambda/installed-runtime.ts';
import { loggerFor } from '../platform/lambda/logging.ts';

/** Input of one execution: exactly this, stored on the order, so that a repeated start is the same. */
export interface SagaRun {
  readonly orderId: string;
  readonly run: number;
  readonly correlationId: string;
}

export interface SagaClient {
  /**
   * Starts the execution `<orderId>-<run>`, once for any number of calls.
   * @returns the time at which the running execution started; `CLOSED` if it has ended already.
   * @throws InfrastructureUnavailable: the outcome is unknown; the work stays due.
   */
  start(run: SagaRun): Promise<{ readonly startedAtMs: number } | 'CLOSED'>;
  /**
   * Completes a waiting step. The signal carries no decision: the step reads the order.
   * @returns `NOT_WAITING` if no step waits on this token any more.
   * @throws InfrastructureUnavailable: the outcome is unknown; the work stays due.
   */
  signal(waitToken: string): Promise<'SIGNALLED' | 'NOT_WAITING'>;
}

export function sagaClient(runtime: Runtime): SagaClient {
  const stateMachines = stateMachineClient(runtime.aws);
  const stateMachineArn = runtime.config.ORDER_SAGA_ARN;

  return {
    async start({ orderId, run, correlationId }) {
      const name = `${orderId}-${String(run)}`;
      const input = JSON.stringify({ orderId, run, correlationId });
      try {
        let execution: Pick<DescribeExecutionCommandOutput, 'startDate'> & {
          status?: string | undefined;
        };
        try {
          // Repeated with the same input while the execution runs, it answers the first start.
          execution = await stateMachines.send(
            new StartExecutionCommand({ stateMachineArn, name, input }),
          );
        } catch (error) {
          if (!(error instanceof ExecutionAlreadyExists)) throw error;
          const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
          execution = await stateMachines.send(new DescribeExecutionCommand({ executionArn }));
        }
        const { status = 'RUNNING', startDate } = execution;
        if (status !== 'RUNNING') return 'CLOSED';
        if (startDate === undefined) throw new Error('Step Functions told no time of the start.');
        return { startedAtMs: startDate.getTime() };
      } catch (error) {
        throw new InfrastructureUnavailable('The saga could not be started now.', { cause: error });
      }
    },
    async signal(waitToken) {
      try {
        await stateMachines.send(
          new SendTaskSuccessCommand({ taskToken: waitToken, output: '{}' }),
        );
        return 'SIGNALLED';
      } catch (error) {
        if (
          error instanceof TaskTimedOut ||
          error instanceof InvalidToken ||
          error instanceof TaskDoesNotExist
        ) {
          return 'NOT_WAITING';
        }
        throw new InfrastructureUnavailable('The saga could not be signalled now.', {
          cause: error,
        });
      }
    },
  };
}

/**
 * Waits for a call to the saga after a write that left the order due. If the call fails, or this process
 * dies first, the dispatcher makes it.
 */
export async function tryNow(
  { orderId, correlationId }: SagaRun,
  call: Promise<unknown>,
): Promise<void> {
  try {
    await call;
  } catch (error) {
    loggerFor({ orderId, correlationId }).warn('Saga not reached yet; the dispatcher will', {
      error: error as Error,
    });
  }
}
