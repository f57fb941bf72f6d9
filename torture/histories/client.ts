import { sleep } from '../../lib/platform/clock.ts';
import type { World, WorldCall } from '../world/world.ts';
import type { FaultInjector } from './fault-injector.ts';
import { type Answer, type Call, outcomeOf } from './history.ts';
import { MANAGER, type Operation, type Plan } from './plan.ts';

type Request = Pick<Call, 'method' | 'path' | 'headers' | 'body'>;

/** An operation that calls the API. */
type Asking = Exclude<Operation, { readonly kind: 'round' }>;

/** An order as its user knows it. */
interface Known {
  readonly orderId: Promise<string | undefined>;
  readonly learn: (orderId: string | undefined) => void;
  version: number | undefined;
  paymentId: string | undefined;
}

const PAUSE_MS = 600;

/** Refusals that name another order of the same items. */
const OTHERS_ORDER: readonly string[] = ['DUPLICATE_ORDER', 'ORDER_IN_FLIGHT'];

/** Performs the operations of a plan, each at its time, and records every call. */
export class Client {
  readonly calls: Call[] = [];
  readonly #world: World;
  readonly #faults: FaultInjector;
  readonly #plan: Plan;
  readonly #known = new Map<number, Known>();
  #steps = 0;

  constructor(world: World, faults: FaultInjector, plan: Plan) {
    this.#world = world;
    this.#faults = faults;
    this.#plan = plan;
    for (const { kind, number } of plan.operations) {
      if (kind !== 'place') continue;
      let learn: Known['learn'] = () => undefined;
      const orderId = new Promise<string | undefined>((resolve) => {
        learn = resolve;
      });
      this.#known.set(number, { orderId, learn, version: undefined, paymentId: undefined });
    }
  }

  /** Resolves when every operation is over; the caller lets time pass. */
  async run(): Promise<void> {
    const beginningMs = this.#world.clock.now();
    await Promise.all(
      this.#plan.operations.map(async (operation) => {
        await sleep(this.#world.clock, beginningMs + operation.atMs - this.#world.clock.now());
        await (operation.kind === 'round' ? this.#round(operation) : this.#perform(operation));
        this.#known.get(operation.number)?.learn(undefined);
      }),
    );
  }

  async #round({ kind, of, number }: Operation & { readonly kind: 'round' }): Promise<void> {
    this.#faults.note('another round', `${kind} ${of} ${String(number)}`);
    // A round that fails does not stop the rest of the plan.
    await Promise.allSettled([this.#world.invoke(of, {})]);
  }

  /** Retries an unanswered request with the same key, as a good client does. */
  async #perform(operation: Asking): Promise<void> {
    const request = await this.#requestOf(operation);
    if (request === undefined) return;
    const mayRepeat = request.method === 'GET' || request.headers['idempotency-key'] !== undefined;
    for (let tries = 1; ; tries += 1) {
      const call = await this.#send(operation, request);
      this.#remember(operation, call);
      const isOver = call.outcome !== 'unknown' && call.answer?.isForNow !== true;
      if (isOver || !mayRepeat || tries >= operation.tries) return;
      await sleep(this.#world.clock, PAUSE_MS * tries);
    }
  }

  async #send({ number, user, kind, patienceMs }: Asking, request: Request): Promise<Call> {
    const { clock } = this.#world;
    this.#steps += 1;
    const sent = { operation: number, user, kind, ...request };
    const invoked = { invokedAtMs: clock.now(), invokedStep: this.#steps };
    const answer = await this.#answerTo(
      { ...request, user, ...(user === MANAGER ? { scope: 'products:write' } : {}) },
      patienceMs,
    );
    if (answer === undefined) {
      this.#faults.note('user gives up waiting', `${user} ${kind} ${String(number)}`);
    }
    this.#steps += 1;
    const call: Call = {
      ...sent,
      ...invoked,
      endedAtMs: clock.now(),
      endedStep: this.#steps,
      outcome: answer === undefined ? 'unknown' : outcomeOf(answer.status),
      answer,
    };
    this.calls.push(call);
    return call;
  }

  /** Resolves to undefined if no response came in time. */
  #answerTo(request: WorldCall, patienceMs: number): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.#world.clock.schedule(patienceMs, () => {
        resolve(undefined);
      });
      this.#world.call(request).then(({ status, headers, body }) => {
        cancel();
        const isReplayed = headers.get('idempotent-replayed') === 'true';
        const isForNow = status >= 400 && headers.has('retry-after');
        resolve({ status, isReplayed, isForNow, body: body ?? {} });
      }, reject);
    });
  }

  #remember(operation: Asking, { answer }: Call): void {
    const known = this.#known.get('order' in operation ? operation.order : operation.number);
    if (answer === undefined || known === undefined || operation.kind === 'pry') return;
    const { orderId, version, paymentId } = answer.body;
    const isAnothers = OTHERS_ORDER.includes(answer.body.code ?? '');
    if (operation.kind === 'place' && !isAnothers && orderId !== undefined) known.learn(orderId);
    if (version !== undefined) known.version = version;
    if (typeof paymentId === 'string') known.paymentId = paymentId;
  }

  async #requestOf(operation: Asking): Promise<Request | undefined> {
    const known = 'order' in operation ? this.#known.get(operation.order) : undefined;
    const orderId = await known?.orderId;
    if ('order' in operation && orderId === undefined) return undefined;
    const key = { 'idempotency-key': `${operation.user}-${String(operation.number)}` };
    const post = (path: string, body: unknown, headers: Request['headers'] = key): Request => ({
      method: 'POST',
      path,
      headers,
      body,
    });
    const get = (path: string): Request => ({ method: 'GET', path, headers: {}, body: undefined });
    switch (operation.kind) {
      case 'place':
        return post(
          '/order',
          { items: operation.items },
          {
            ...(operation.key === undefined ? {} : { 'idempotency-key': operation.key }),
            ...(operation.allowDuplicate ? { 'x-allow-duplicate': 'true' } : {}),
            ...waiting(operation),
          },
        );
      case 'get':
        return get(`/order/${String(orderId)}`);
      case 'modify': {
        const isMatched = operation.ifMatch && known?.version !== undefined;
        const ifMatch = isMatched ? { 'if-match': `"${String(known.version)}"` } : {};
        const headers = { ...key, ...ifMatch, ...waiting(operation) };
        return {
          method: 'PUT',
          path: `/order/${String(orderId)}`,
          headers,
          body: { items: operation.items },
        };
      }
      case 'cancel':
        return post(`/order/cancelorder/${String(orderId)}`, undefined);
      case 'retry order':
        return post(`/order/retryorder/${String(orderId)}`, undefined, {
          ...key,
          ...waiting(operation),
        });
      case 'pay':
      case 'retry payment': {
        const path = operation.kind === 'pay' ? '/payment' : '/retrypayment';
        const body = { orderId, paymentMethod: { token: operation.token } };
        return post(path, body, { ...key, ...waiting(operation) });
      }
      case 'get payment':
        return known?.paymentId === undefined ? undefined : get(`/payment/${known.paymentId}`);
      case 'receive':
        return post(`/product/${operation.productId}/stock`, { quantity: operation.quantity });
      case 'price':
      case 'offer': {
        const body =
          operation.kind === 'offer'
            ? { active: operation.active }
            : { unitPrice: { amount: operation.amount, currency: operation.currency } };
        return { ...post(`/product/${operation.productId}`, body), method: 'PUT' };
      }
      case 'pry':
        switch (operation.at) {
          case 'order':
            return get(`/order/${String(orderId)}`);
          case 'cancel':
            return post(`/order/cancelorder/${String(orderId)}`, undefined);
          case 'pay':
            return post('/payment', { orderId, paymentMethod: { token: 'tok_ok' } });
        }
    }
  }
}

function waiting({ waitSeconds }: { readonly waitSeconds: number }): Record<string, string> {
  return waitSeconds === 0 ? {} : { prefer: `wait=${String(waitSeconds)}` };
}
