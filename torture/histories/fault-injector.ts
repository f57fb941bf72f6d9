import { type Clock, sleep } from '../../lib/platform/clock.ts';
import type { HttpResponse } from '../../lib/platform/http/http-client.ts';
import { executionOf, type RecordedEffect, type WorldInterceptor } from '../world/effect-log.ts';
import {
  conflict,
  dieAfter,
  dieBefore,
  type Fault,
  hang,
  loseAnswer,
  throttle,
} from '../world/faults.ts';
import type { Delivery, SentMessage } from '../world/memory-sqs.ts';
import type { World } from '../world/world.ts';
import { Chance } from './chance.ts';
import { type FaultKind, noFaults, type StrikeKind } from './fault-kinds.ts';
import { aboutOf } from './labels.ts';
import type { Plan } from './plan.ts';

/** A fault that struck, with a label that stays the same if the history is cut down. */
export interface Struck {
  readonly kind: FaultKind;
  /** Includes the kind, so that two kinds at one effect have two labels. */
  readonly label: string;
  readonly atMs: number;
}

/** The longest time-outs: a caller has given up by then. */
const GATEWAY_TIMEOUT_MS = 5000;
const INVENTORY_TIMEOUT_MS = 2000;
const LATEST_DELIVERY_MS = 900_000;
const SLOWEST_MS = 2500;

const DATABASE: readonly StrikeKind[] = ['throttled', 'conflict'];
const EVERYTHING: readonly StrikeKind[] = [
  'dies before',
  'dies after',
  'answer lost',
  'hangs',
  'slow',
];

/** Injects the faults of a plan until it is stopped; deterministic for each effect. */
export class FaultInjector {
  readonly struck: Struck[] = [];
  readonly #plan: Plan;
  readonly #chance: Chance;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #times = new Map<string, number>();
  readonly #beginningMs: number;
  readonly #clock: Clock;
  readonly #world: Pick<World, 'abortExecutions'>;
  #isOver = false;
  #late = 0;

  constructor(plan: Plan, world: Pick<World, 'clock' | 'abortExecutions'>) {
    this.#plan = plan;
    this.#world = world;
    this.#chance = new Chance(plan.seed);
    this.#only = plan.strikes === undefined ? undefined : new Set(plan.strikes);
    this.#clock = world.clock;
    this.#beginningMs = world.clock.now();
  }

  /** Ends all faults; delayed calls still arrive. */
  stop(): void {
    this.#isOver = true;
  }

  /** Number of delayed calls. */
  get onTheirWay(): number {
    return this.#late;
  }

  get counts(): Record<FaultKind, number> {
    const counts = noFaults();
    for (const { kind } of this.struck) counts[kind] += 1;
    return counts;
  }

  readonly intercept: WorldInterceptor = (effect, proceed) => {
    if (this.#isOver) return proceed();
    const label = this.#numbered(labelOf(effect));
    const away = this.#away(effect, label);
    if (away !== undefined) return away(effect, proceed);
    const kind = kindsFor(effect).find((one) => this.#strikes(one, label));
    return kind === undefined ? proceed() : this.#fault(kind, label)(effect, proceed);
  };

  readonly delivery: Delivery = (message) => {
    if (this.#isOver || !/-(?:compensation|acknowledgement)$/.test(message.queue)) return [0];
    const label = this.#numbered(`message ${aboutMessage(message)}`);
    const times = this.#strikes('message late', label)
      ? [this.#chance.spread(100, 120_000, `${label} late`)]
      : [0];
    if (!this.#strikes('message twice', label)) return times;
    const isAtOnce = this.#chance.of(`${label} at once`) < 0.3;
    return [...times, isAtOnce ? 0 : this.#chance.spread(10, 60_000, `${label} again`)];
  };

  /** Counts a fault that another part injected. */
  note(kind: FaultKind, words: string): void {
    this.struck.push({ kind, label: `${kind}: ${words}`, atMs: this.#clock.now() });
  }

  /** Numbers repetitions of the same effect. */
  #numbered(words: string): string {
    const times = (this.#times.get(words) ?? 0) + 1;
    this.#times.set(words, times);
    return times === 1 ? words : `${words} #${String(times)}`;
  }

  #strikes(kind: StrikeKind, words: string): boolean {
    const rate = this.#plan.rates[kind];
    if (rate === 0) return false;
    const label = `${kind}: ${words}`;
    if (this.#chance.of(label) >= rate) return false;
    if (this.#only !== undefined && !this.#only.has(label)) return false;
    this.note(kind, words);
    return true;
  }

  #away(effect: RecordedEffect, label: string): Fault | undefined {
    const atMs = this.#clock.now() - this.#beginningMs;
    for (const { kind, fromMs, untilMs } of this.#plan.outages) {
      if (atMs < fromMs || atMs >= untilMs) continue;
      if (kind === 'database away' && effect.kind === 'dynamodb') {
        this.note(kind, label);
        return throttle;
      }
      if (effect.kind === 'http' && (kind === 'gateway away') === isForGateway(effect)) {
        if (kind === 'database away') continue;
        this.note(kind, label);
        return this.#chance.of(`${label} refused`) < 0.7 ? refuse : answerWith(restarting());
      }
    }
    return undefined;
  }

  #fault(kind: StrikeKind, label: string): Fault {
    switch (kind) {
      case 'throttled':
        return throttle;
      case 'conflict':
        return conflict;
      case 'dies before':
        return dieBefore;
      case 'dies after':
        return dieAfter;
      case 'answer lost':
        return loseAnswer;
      case 'hangs':
        return hang;
      case 'slow':
        return async (_effect, proceed) => {
          await sleep(this.#clock, this.#chance.spread(1, SLOWEST_MS, `${label} for`));
          return proceed();
        };
      case 'delivered later':
        return this.#later(this.#chance.spread(10, LATEST_DELIVERY_MS, `${label} by`));
      case 'answered 5xx':
        return this.#chance.pick(FAILURES, `${label} how`);
      case 'answered 429':
        return this.#chance.pick(TOO_MANY, `${label} how`);
      case 'run lost':
        return this.#loseRun(this.#chance.of(`${label} goes on`) < 0.5);
      case 'message twice':
      case 'message late':
        throw new Error(`${kind} strikes no effect.`);
    }
  }

  /** The execution of the step is aborted; the step goes on, or dies before the effect. */
  #loseRun(goesOn: boolean): Fault {
    return (effect, proceed) => {
      this.#world.abortExecutions(executionOf(effect.invocation));
      return goesOn ? proceed() : dieBefore(effect, proceed);
    };
  }

  /** The caller times out and goes on; the call arrives later. */
  #later(byMs: number): Fault {
    return (effect, proceed) => {
      const timeoutMs = isForGateway(effect) ? GATEWAY_TIMEOUT_MS : INVENTORY_TIMEOUT_MS;
      this.#late += 1;
      this.#clock.schedule(timeoutMs + byMs, () => {
        proceed()
          .catch(() => undefined)
          .finally(() => {
            this.#late -= 1;
          });
      });
      return new Promise((_resolve, reject) => {
        this.#clock.schedule(timeoutMs, () => {
          reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
        });
      });
    };
  }
}

/** Kinds of fault that may strike an effect, rarest first. */
function kindsFor(effect: RecordedEffect): readonly StrikeKind[] {
  const kinds = kindsForAny(effect);
  return executionOf(effect.invocation) === undefined ? kinds : ['run lost', ...kinds];
}

function kindsForAny({ kind, operation }: RecordedEffect): readonly StrikeKind[] {
  switch (kind) {
    case 'http':
      return operation === 'GET' ? HTTP_READ : HTTP;
    case 'dynamodb':
      return operation === 'TransactWriteItems' ? TRANSACTION : DYNAMO;
    case 'states':
    case 'sqs':
      return MESSAGE;
    case 'ssm':
      return EVERYTHING;
  }
}

const DYNAMO = [...DATABASE, ...EVERYTHING];
const TRANSACTION = [...DYNAMO, 'delivered later'] as const;
const HTTP_READ = ['answered 5xx', 'answered 429', ...EVERYTHING] as const;
const HTTP = ['delivered later', ...HTTP_READ] as const;
const MESSAGE = ['delivered later', ...EVERYTHING] as const;

/** Label of an effect, which stays the same if the history is cut down. */
function labelOf(effect: RecordedEffect): string {
  const { kind, by, operation, target } = effect;
  const where = kind === 'http' ? new URL(target).pathname : (target.split(/[/:]/).at(-1) ?? '');
  return `${operation} ${where.replace('ordersaga-local-', '')} by ${by}, ${aboutOf(effect.invocation)}`;
}

function aboutMessage({ queue, body }: SentMessage): string {
  return `${queue.replace('ordersaga-local-', '')} ${/(?:ord|pay)_\w+/.exec(body)?.[0] ?? ''}`;
}

function isForGateway({ kind, target }: RecordedEffect): boolean {
  return kind === 'http' && target.includes('/gateway/');
}

const refuse: Fault = () => Promise.reject(new TypeError('fetch failed'));

function answerWith(response: HttpResponse): Fault {
  return ((_effect: RecordedEffect, _proceed: () => Promise<unknown>) =>
    Promise.resolve(response)) as Fault;
}

function restarting(): HttpResponse {
  return failure(503, { code: 'INVENTORY_RESTARTING' }, { 'retry-after': '5' });
}

function failure(
  status: number,
  body?: unknown,
  headers: Record<string, string> = {},
): HttpResponse {
  return { status, headers: new Headers(headers), body };
}

/** Failures of a gateway in front of a service, and of the service itself. */
const FAILURES: readonly [Fault, ...Fault[]] = [
  refuse,
  answerWith(failure(500)),
  answerWith(failure(502)),
  answerWith(failure(503)),
  answerWith(restarting()),
  answerWith(failure(503, { code: 'CACHE_TIMEOUT' }, { 'retry-after': '1' })),
  answerWith(failure(503, { code: 'LOCK_CONTENTION' }, { 'retry-after': '1' })),
];

/** A service that has too much to do, and a function's throttled URL. */
const TOO_MANY: readonly [Fault, ...Fault[]] = [
  answerWith(failure(429, undefined, { 'retry-after': '1' })),
  answerWith(failure(429)),
];
