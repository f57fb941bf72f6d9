import type { Order } from '../../lib/orders/order.ts';
import { httpPaymentGateway } from '../../lib/payments/http-gateway.ts';
import { sleep } from '../../lib/platform/clock.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import { obligationOf } from './checks/due.ts';
import type { Circumstances, Facts, Subject } from './facts.ts';
import { GatewayBooks } from './gateway-books.ts';
import { judge } from './judge.ts';
import { mender } from './mend.ts';
import { readFacts } from './read-facts.ts';
import { isClean, type Look, lookAgain, type Verdict } from './second-look.ts';
import { lookAtStock } from './stock.ts';
import { type Item, pagesOf } from './tables.ts';

export interface ExamineOptions {
  /** Applies the remedies that are safe. */
  readonly fix: boolean;
  /** Time for which a disagreement must last before it is reported. */
  readonly graceMs: number;
  /** Items read per page. */
  readonly pageSize: number;
  /** Called for each disagreement as soon as it is certain. */
  readonly tell: (verdict: Verdict) => void;
}

export interface Summary {
  readonly read: {
    readonly orders: number;
    readonly payments: number;
    readonly products: number;
    readonly reservations: number;
    readonly charges: number;
  };
  /** Obligations that are recorded and on their way. They are no disagreements. */
  readonly owed: { readonly refunds: number; readonly voids: number; readonly releases: number };
  readonly found: number;
  readonly mended: number;
  readonly left: number;
  /** Items that changed during every reading. This run cannot judge them; another run may. */
  readonly inMotion: { readonly items: number; readonly products: readonly string[] };
  /** Orders whose charges the gateway did not tell, and why. */
  readonly unasked: { readonly orders: number; readonly because?: string };
  /** True if no disagreement is left and the gateway answered for every order. */
  readonly isClean: boolean;
}

/** Suspects that are collected before the next second look. */
const MAX_SUSPECTS = 200;
/** Longest round of the dispatcher or the sweeper: its function's time-out. */
const ROUND_TIMEOUT_MS = 60_000;
const LATE_ROUNDS = 3;

/**
 * Reconciles orders, payments, reservations, stock counters and the gateway's charges. It reads page by page. It
 * keeps in memory one page, at most a few hundred suspects, and the counters and sums of each product. It changes
 * nothing unless `fix` is set.
 * @throws InfrastructureUnavailable if a table cannot be read.
 */
export async function examine(runtime: Runtime, options: ExamineOptions): Promise<Summary> {
  return new Examination(runtime, options).run();
}

class Examination {
  readonly #runtime: Runtime;
  readonly #options: ExamineOptions;
  readonly #books: GatewayBooks;
  readonly #mend: ReturnType<typeof mender> | undefined;
  readonly #read = { orders: 0, payments: 0, products: 0, reservations: 0, charges: 0 };
  readonly #owed = { refunds: 0, voids: 0, releases: 0 };
  readonly #told = { FOUND: 0, MENDED: 0, NOT_MENDED: 0 };
  #suspects: Look<Subject>[] = [];
  #unasked = 0;
  #itemsInMotion = 0;

  constructor(runtime: Runtime, options: ExamineOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#books = new GatewayBooks(httpPaymentGateway(runtime), runtime.clock);
    this.#mend = options.fix ? mender(runtime) : undefined;
  }

  async run(): Promise<Summary> {
    await this.#examineOrders();
    const productsInMotion = await this.#examineStock();
    const { FOUND: found, MENDED: mended, NOT_MENDED: notMended } = this.#told;
    const left = found + notMended;
    const { lastFailure } = this.#books;
    return {
      read: this.#read,
      owed: this.#owed,
      found: left + mended,
      mended,
      left,
      inMotion: { items: this.#itemsInMotion, products: productsInMotion },
      unasked: {
        orders: this.#unasked,
        ...(this.#unasked === 0 || lastFailure === undefined ? {} : { because: lastFailure }),
      },
      isClean: left === 0 && this.#unasked === 0,
    };
  }

  async #examineOrders(): Promise<void> {
    const scan = {
      table: this.#runtime.config.ORDERS_TABLE,
      types: ['ORDER'],
      pageSize: this.#options.pageSize,
      attributes: ['pk', 'type'],
    };
    for await (const page of pagesOf(this.#runtime, scan)) {
      const subjects = page.map(subjectOf);
      this.#read.orders += subjects.length;
      await this.#examine(subjects);
    }
    await this.#lookAgain();
  }

  /** @returns the products that changed during every reading. */
  async #examineStock(): Promise<readonly string[]> {
    const { pageSize } = this.#options;
    const looks = await lookAtStock(this.#runtime, pageSize, {
      onReservations: async (page) => {
        this.#read.reservations += page.length;
        await this.#examine(page.map(subjectOf));
      },
    });
    await this.#lookAgain();
    this.#read.products = looks.length;
    return lookAgain(
      looks.filter((look) => !isClean(look)),
      {
        ...this.#secondLook(),
        lookAt: (productIds) => lookAtStock(this.#runtime, pageSize, { productIds }),
      },
    );
  }

  async #examine(subjects: readonly Subject[]): Promise<void> {
    if (subjects.length === 0) return;
    const looks = await this.#lookAt(subjects, (subject, facts) => {
      this.#count(subject, facts);
    });
    this.#suspects.push(...looks.filter((look) => !isClean(look)));
    if (this.#suspects.length >= MAX_SUSPECTS) await this.#lookAgain();
  }

  async #lookAgain(): Promise<void> {
    const suspects = this.#suspects;
    this.#suspects = [];
    const moving = await lookAgain(suspects, {
      ...this.#secondLook(),
      lookAt: (subjects) =>
        this.#lookAt(subjects, ({ kind }, { charges }) => {
          // If the gateway stopped answering, the suspicion may only have become invisible.
          if (kind !== 'RESERVATION' && charges === undefined) {
            this.#unasked = Math.max(1, this.#unasked);
          }
        }),
    });
    this.#itemsInMotion += moving.length;
  }

  #secondLook() {
    return {
      pause: () => this.#pause(),
      mend: this.#mend,
      tell: (verdict: Verdict) => {
        this.#told[verdict.outcome] += 1;
        this.#options.tell(verdict);
      },
    };
  }

  async #pause(): Promise<void> {
    const { graceMs } = this.#options;
    if (graceMs > 0) await sleep(this.#runtime.clock, graceMs);
  }

  async #lookAt(
    subjects: readonly Subject[],
    onFacts: (subject: Subject, facts: Facts) => void,
  ): Promise<Look<Subject>[]> {
    const readings = await readFacts(this.#runtime, this.#books, subjects);
    const now = this.#circumstances();
    return readings.map(({ subject, facts, hasMoved }) => {
      onFacts(subject, facts);
      return { subject, findings: hasMoved ? [] : judge(subject, facts, now), hasMoved };
    });
  }

  #circumstances(): Circumstances {
    const { clock, config } = this.#runtime;
    const overdueAfterMs = LATE_ROUNDS * (config.SCHEDULE_SECONDS * 1000 + ROUND_TIMEOUT_MS);
    return { nowMs: clock.now(), overdueAfterMs };
  }

  #count(subject: Subject, { order, charges }: Facts): void {
    if (subject.kind !== 'ORDER') return;
    if (charges === undefined) this.#unasked += 1;
    this.#read.charges += charges?.length ?? 0;
    if (order === undefined) return;
    if ('releaseOwed' in order.item) this.#owed.releases += 1;
    // Absent in an item of another version.
    const { payments = [] } = order.item as Partial<Order>;
    this.#read.payments += payments.length;
    for (const payment of payments) {
      const obligation = obligationOf(payment);
      if (obligation === 'a refund') this.#owed.refunds += 1;
      if (obligation === 'a void') this.#owed.voids += 1;
    }
  }
}

function subjectOf(item: Item): Subject {
  const pk = String(item['pk']);
  const orderId = pk.slice(pk.indexOf('#') + 1);
  return { kind: item['type'] === 'RESERVATION' ? 'RESERVATION' : 'ORDER', orderId };
}
