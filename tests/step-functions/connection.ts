import type { SFNClient } from '@aws-sdk/client-sfn';
import type { FunctionName } from './lambda-functions.ts';

/** Differences between implementations of Step Functions. */
export interface Connection {
  readonly client: SFNClient;
  readonly pollEveryMs: number;
  /** Invokes a function directly, without the state machine. */
  invoke(name: FunctionName, payload: unknown): Promise<unknown>;
  functionName(name: FunctionName): string;
  functionArn(name: FunctionName): string;
  /** Advances the implementation's clock, if a test can. */
  letPass(seconds: number): void;
  close(): Promise<void>;
}
