import type { Config } from '../lib/platform/config.ts';
import type { SAGA_CONSTANTS } from './constants.ts';

/** Form of the table in order-saga.ts: the Amazon States Language, less what repeats itself. */
export interface StateMachine<Name extends string = string> {
  readonly comment: string;
  readonly startAt: Name;
  readonly states: Readonly<Record<Name, State<Name>>>;
}

export type State<Name extends string = string> =
  | TaskState<Name>
  | WaitState<Name>
  | PassState<Name>
  | EndState;

interface Described {
  readonly comment: string;
}

/** Invokes a Lambda function. */
export interface TaskState<Name extends string = string> extends Described {
  readonly type: 'Task';
  /** Key of the function in infrastructure/functions.yml. */
  readonly invokes: string;
  /**
   * Calls that one attempt makes, at worst, to the two services that may be away: the deadlines count
   * their time-outs. tests/torture/explore.test.ts holds them against the calls that are made.
   */
  readonly calls: readonly Service[];
  readonly timeoutSeconds: Amount;
  /** Payload of a task that then waits for its token; token and attempt are added. */
  readonly waitsWith?: Parameters;
  /** Whom a task with a token waits for, if not the gateway: a user's own time counts in no deadline. */
  readonly waitsFor?: 'user';
  /** Input of the function, if it is not the state's. */
  readonly parameters?: Parameters;
  /** Place of the function's result in the state's output; null drops it. */
  readonly resultPath: string | null;
  readonly retry: readonly RetryPolicy[];
  readonly catch: readonly Catcher<Name>[];
  /** Undefined ends the execution. */
  readonly next?: Name;
}

interface WaitState<Name extends string> extends Described {
  readonly type: 'Wait';
  readonly seconds: Amount;
  readonly next: Name;
}

interface PassState<Name extends string> extends Described {
  readonly type: 'Pass';
  readonly result: unknown;
  readonly resultPath: string;
  readonly next: Name;
}

type EndState =
  | (Described & { readonly type: 'Succeed' })
  | { readonly type: 'Fail'; readonly error: string; readonly cause: string };

export type Service = 'inventory' | 'gateway';

type Parameters = Readonly<Record<string, unknown>>;

/** A number, or the name of the setting or constant that holds it. */
export type Amount = number | AmountName;
export type AmountName =
  | NumberNames<Config>
  | keyof typeof SAGA_CONSTANTS
  | 'RESERVATION_WAIT_SECONDS';

type NumberNames<Settings> = {
  [Name in keyof Settings]-?: Settings[Name] extends number ? Name : never;
}[keyof Settings];

/** An error of this service by its class, or one of AWS by its name. */
export type Failure = ErrorClass | `${'States' | 'Lambda' | 'Runtime' | 'Sandbox'}.${string}`;
/** Class of a signal of the saga or of an error; its instances carry a literal name. */
export type ErrorClass = new (message: string) => Error;

export interface RetryPolicy {
  readonly on: readonly Failure[];
  readonly intervalSeconds: Amount;
  readonly maxAttempts: Amount;
  readonly backoffRate: number;
  readonly maxDelaySeconds: Amount;
  readonly jitter: 'FULL' | 'NONE';
  /** The failed attempts last no time that counts: they were refused before any work. */
  readonly isAnsweredAtOnce?: true;
}

export interface Catcher<Name extends string = string> {
  readonly on: readonly Failure[];
  readonly next: Name;
  /** Why a run that takes this way back is no longer part of the passage that a deadline is for. */
  readonly anew?: string;
  /** For a way back inside a passage: the seconds that all rounds but the last one may take. */
  readonly roundsSeconds?: Amount;
}
