import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type HistoryEventType,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Connection } from './connection.ts';
import { connectToEmbedded } from './embedded.ts';
import { connectToEmulator } from './emulator.ts';
import type { FunctionName } from './lambda-functions.ts';

export const ROLE_ARN = 'arn:aws:iam::000000000000:role/x';

const GIVE_UP_AFTER_MS = 30_000;

const endpoint = process.env['STEP_FUNCTIONS_ENDPOINT'];

/** Connects to the emulator at `STEP_FUNCTIONS_ENDPOINT`, else to the embedded server. */
export async function connect(): Promise<Target> {
  return new Target(
    await (endpoint === undefined ? connectToEmbedded() : connectToEmulator(endpoint)),
  );
}

/** The implementation under test, with the calls that all tests share. */
export class Target {
  readonly client: SFNClient;
  readonly connection: Connection;
  readonly #tokenStore = `task-tokens-${randomUUID()}`;

  constructor(connection: Connection) {
    this.client = connection.client;
    this.connection = connection;
  }

  async close(): Promise<void> {
    await this.connection.invoke('keepToken', { store: this.#tokenStore });
    await this.connection.close();
  }

  /** Creates a state machine with a new name. */
  async create(definition: object): Promise<string> {
    const { stateMachineArn = '' } = await this.client.send(
      new CreateStateMachineCommand({
        name: `machine-${randomUUID()}`,
        definition: JSON.stringify(definition),
        roleArn: ROLE_ARN,
      }),
    );
    return stateMachineArn;
  }

  async start(stateMachineArn: string, input: unknown = {}): Promise<string> {
    const { executionArn = '' } = await this.client.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    return executionArn;
  }

  /** Creates a state machine and starts it. */
  async run(definition: object, input: unknown = {}): Promise<string> {
    return this.start(await this.create(definition), input);
  }

  describe(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return this.client.send(new DescribeExecutionCommand({ executionArn }));
  }

  /** Resolves with the closed execution; lets time pass. */
  ended(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return this.#poll(`${executionArn} to end`, async () => {
      const execution = await this.describe(executionArn);
      if (execution.status !== 'RUNNING') return execution;
      this.connection.letPass(1);
      return undefined;
    });
  }

  /** The parsed output of an execution that must succeed. */
  async output(executionArn: string): Promise<unknown> {
    const { status = '', output, error = '', cause = '' } = await this.ended(executionArn);
    if (output === undefined) throw new Error(`${status}: ${error} ${cause}`);
    return JSON.parse(output) as unknown;
  }

  async history(executionArn: string): Promise<HistoryEvent[]> {
    const { events = [] } = await this.client.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
    );
    return events;
  }

  /** The nth event of a type, as soon as it exists; no time passes. */
  event(executionArn: string, type: HistoryEventType, count = 1): Promise<HistoryEvent> {
    return this.#poll(`${type} of ${executionArn}`, async () => {
      const events = await this.history(executionArn);
      return events.filter((event) => event.type === type)[count - 1];
    });
  }

  /** The nth task token that a function of the execution received. */
  token(executionArn: string, count = 1): Promise<string> {
    return this.#poll(`token ${count} of ${executionArn}`, async () => {
      const tokens = await this.connection.invoke('keepToken', {
        store: this.#tokenStore,
        execution: executionArn,
      });
      return (tokens as string[])[count - 1];
    });
  }

  async #poll<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
    const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
    while (Date.now() < giveUpAt) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(this.connection.pollEveryMs);
    }
    throw new Error(`gave up waiting for ${what}`);
  }

  /** A Task state that waits for its token; `payload` extends its function's input. */
  waitsForToken(fields: object = {}, payload: object = {}): object {
    return {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Parameters: {
        FunctionName: this.connection.functionName('keepToken'),
        Payload: {
          store: this.#tokenStore,
          'execution.$': '$$.Execution.Id',
          'token.$': '$$.Task.Token',
          ...payload,
        },
      },
      ...fields,
    };
  }

  /** A Task state that calls a function by its ARN. */
  calls(name: FunctionName, fields: object = {}): object {
    return { Type: 'Task', Resource: this.connection.functionArn(name), ...fields };
  }
}

/** A state machine of a single state. */
export function only(state: object, fields: object = {}): object {
  return { StartAt: 'Only', States: { Only: { ...state, End: true } }, ...fields };
}
