import type {
  Amount,
  AmountName,
  Catcher,
  RetryPolicy,
  Service,
  State,
  StateMachine,
  TaskState,
} from './state-machine.ts';

/** Numbers that the table only names. */
export interface Measures {
  readonly amountOf: (name: AmountName) => number;
  /** Time-out of one call to a service. */
  readonly callMs: (service: Service) => number;
  /** Time-out of one call to AWS. */
  readonly awsCallMs: number;
}

/**
 * Worst-case durations of a state machine and of its states, in milliseconds, computed from its table.
 *
 * An attempt lasts as long as its calls to Inventory and to the gateway, each of which runs into its
 * time-out, and one call to AWS that does. Neither service can make it longer, for as long as it may
 * be away, and no attempt outlasts `TimeoutSeconds`. It lasts longer than counted only if AWS itself
 * hangs. Then the sweeper, a Lambda function that writes to DynamoDB, releases no stock either.
 *
 * Each retrier has a counter of its own, so the retries of all of them add up; full jitter counts as
 * the whole delay.
 */
export class Durations<Name extends string> {
  readonly #machine: StateMachine<Name>;
  readonly #measures: Measures;

  constructor(machine: StateMachine<Name>, measures: Measures) {
    this.#machine = machine;
    this.#measures = measures;
  }

  /**
   * All attempts of a task and all delays between them, without the wait for its token. Retries of what also has a way
   * back with `roundsSeconds` are part of these seconds, which the step itself ends.
   */
  triesMs(name: Name): number {
    const state = this.#machine.states[name];
    if (state.type !== 'Task') return 0;
    const inRounds = new Set(
      state.catch.flatMap(({ on, roundsSeconds }) => (roundsSeconds === undefined ? [] : on)),
    );
    const counted = state.retry.filter(({ on }) => !on.every((failure) => inRounds.has(failure)));
    const retries = sumOf(counted, ({ maxAttempts, isAnsweredAtOnce }) =>
      isAnsweredAtOnce === true ? 0 : this.#valueOf(maxAttempts),
    );
    const delaysMs = sumOf(counted, (policy) => this.#delaysMs(policy));
    return (1 + retries) * this.#attemptMs(state) + delaysMs;
  }

  /** The longest single attempt of all tasks, if only its calls' time-outs end it. */
  longestAttemptMs(): number {
    const tasks = Object.values<State<Name>>(this.#machine.states).filter(
      (state) => state.type === 'Task',
    );
    return Math.max(...tasks.map((task) => this.#callsMs(task)));
  }

  /**
   * Longest way from the beginning of a state to an end of the machine, or to one of the states in
   * `until`. A way back counts as its row says: `anew` leaves the passage; of `roundsSeconds` one round
   * is added to them.
   */
  passageMs(from: Name, until: readonly Name[] = []): number {
    /** Of the states looked at so far; undefined of those that are on the way. */
    const known = new Map<Name, number | undefined>(until.map((name) => [name, 0]));
    const longestMs = (name: Name): number => {
      const knownMs = known.get(name);
      if (knownMs !== undefined) return knownMs;
      if (known.has(name)) {
        throw new Error(`The way back to ${name} needs \`anew\` or \`roundsSeconds\`.`);
      }
      known.set(name, undefined);
      const state = this.#machine.states[name];
      const catchers = state.type === 'Task' ? state.catch : [];
      const ahead = catchers
        .filter(({ anew, roundsSeconds }) => anew === undefined && roundsSeconds === undefined)
        .map(({ next }) => next);
      if ('next' in state) ahead.push(state.next);
      const ms =
        this.#stateMs(name) + this.#roundsMs(name, catchers) + Math.max(0, ...ahead.map(longestMs));
      known.set(name, ms);
      return ms;
    };
    return longestMs(from);
  }

  /** All tries on the way along `next` from the start to a state, if there is nothing to wait for. */
  arrivalMs(at: Name): number {
    return sumOf(this.#wayBetween(this.#machine.startAt, at), (name) => this.triesMs(name));
  }

  #valueOf(amount: Amount): number {
    return typeof amount === 'number' ? amount : this.#measures.amountOf(amount);
  }

  #attemptMs(task: TaskState<Name>): number {
    return Math.min(this.#callsMs(task), this.#valueOf(task.timeoutSeconds) * 1000);
  }

  #callsMs({ calls }: TaskState<Name>): number {
    const { callMs, awsCallMs } = this.#measures;
    return sumOf(calls, callMs) + awsCallMs;
  }

  #delaysMs(policy: RetryPolicy): number {
    let seconds = 0;
    for (let retry = 0; retry < this.#valueOf(policy.maxAttempts); retry += 1) {
      const grown = this.#valueOf(policy.intervalSeconds) * policy.backoffRate ** retry;
      seconds += Math.min(grown, this.#valueOf(policy.maxDelaySeconds));
    }
    return seconds * 1000;
  }

  #stateMs(name: Name): number {
    const state = this.#machine.states[name];
    if (state.type === 'Wait') return this.#valueOf(state.seconds) * 1000;
    if (state.type !== 'Task') return 0;
    const isGateways = state.waitsWith !== undefined && state.waitsFor !== 'user';
    return this.triesMs(name) + (isGateways ? this.#valueOf(state.timeoutSeconds) * 1000 : 0);
  }

  /** States from one to another along `next`, without the other one. */
  #wayBetween(from: Name, to: Name): Name[] {
    const way: Name[] = [];
    for (let name = from; name !== to; ) {
      way.push(name);
      const state = this.#machine.states[name];
      if (!('next' in state)) throw new Error(`No way leads from ${from} to ${to}.`);
      name = state.next;
    }
    return way;
  }

  /** All rounds that begin with a way back from this task; the last one ends with the task again. */
  #roundsMs(task: Name, catchers: readonly Catcher<Name>[]): number {
    return sumOf(catchers, ({ next, roundsSeconds }) => {
      if (roundsSeconds === undefined) return 0;
      const round = [...this.#wayBetween(next, task), task];
      return this.#valueOf(roundsSeconds) * 1000 + sumOf(round, (name) => this.#stateMs(name));
    });
  }
}

function sumOf<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
