import type { SFNClient } from '@aws-sdk/client-sfn';
import type { FunctionName } from './lambda-functions.ts';

/** What differs between one implementation of Step Functions and another. */
export interface Connection {
  readonly client: SFNClient;
  readonly pollEveryMs: number;
  /** Calls a function itself, past the state machine. */
  invoke(name: FunctionName, payload: unknown): Promise<unknown>;
  functionName(name: FunctionName): string;
  functionArn(name: FunctionName): string;
  /** Lets the implementation's clock run on, where a test can do that. */
  letPass(seconds: number): void;
  close(): Promise<void>;
}
