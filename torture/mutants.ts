import { type Mutant, MutantNotApplied } from './mutant.ts';

/** @throws MutantNotApplied if no mutant has this name. */
export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant === undefined) throw new MutantNotApplied(`There is no mutant ${name}.`);
  return mutant;
}

const DYNAMO = 'lib/platform/dynamo/items.ts';
const RESERVATION_LIFECYCLE = 'lib/inventory/reservation-lifecycle.ts';
const INVENTORY_REPOSITORY = 'lib/inventory/inventory-repository.ts';
const ORDER_REPOSITORY = 'lib/orders/order-repository.ts';
const ORDER_DUE = 'lib/orders/order-due.ts';
const ORDER_PAYMENTS = 'lib/orders/order-payments.ts';
const CONFIRM_ORDER = 'lib/orders/saga/confirm-order.ts';
const MOVES = 'lib/orders/moves.ts';
const HTTP_GATEWAY = 'lib/payments/http-gateway.ts';
const PAYMENT_OUTCOMES = 'lib/orders/payment-outcomes.ts';
const TAKE_PAYMENT = 'lib/orders/saga/take-payment.ts';
const REJECT_RESERVATION = 'lib/orders/saga/reject-reservation.ts';
const RESERVE_STOCK = 'lib/orders/saga/reserve-stock.ts';
const DISPATCH = 'lib/orders/recovery/dispatch-due-work.ts';
const EXPIRE_ORDER = 'lib/orders/saga/expire-order.ts';
const AWAIT_ACKNOWLEDGEMENT = 'lib/orders/saga/await-acknowledgement.ts';
const SETTLE_PAYMENT = 'lib/orders/saga/settle-payment.ts';
const COMPENSATE = 'lib/orders/saga/compensate.ts';
const STORED_ORDER = 'lib/orders/stored-order.ts';
const STORED_WAIT = 'lib/orders/stored-wait.ts';
const START_PAYMENT = 'lib/orders/start-payment.ts';
const PLACE_ORDER = 'lib/orders/place-order.ts';
const OPEN_ORDERS = 'lib/orders/open-orders.ts';
const INVENTORY_CLIENT = 'lib/inventory/inventory-client.ts';
const RETRY_POLICIES = 'statemachines/retry-policies.ts';

/**
 * Guarantees that the torture must miss once they are switched off. A condition that is switched off keeps
 * its placeholders, because DynamoDB refuses an expression that leaves one unused.
 */
export const MUTANTS: readonly Mutant[] = [
  // Conditional writes
  {
    name: 'write-ignores-status',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'a status is written only where the status is the one that was read',
    file: DYNAMO,
    find: `'#status = :statusAsRead AND #counter = :counterAsRead'`,
    replace: `'(#status = :statusAsRead OR attribute_exists(pk)) AND #counter = :counterAsRead'`,
  },
  {
    name: 'write-ignores-version',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'a status is written only where the counter of writes is the one that was read',
    file: DYNAMO,
    find: `'#status = :statusAsRead AND #counter = :counterAsRead'`,
    replace: `'#status = :statusAsRead AND (#counter = :counterAsRead OR attribute_exists(pk))'`,
  },
  {
    name: 'write-ignores-what-was-read',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'a status is written only where nothing has changed since it was read',
    file: DYNAMO,
    find: `'#status = :statusAsRead AND #counter = :counterAsRead'`,
    replace: `'(#status = :statusAsRead AND #counter = :counterAsRead) OR attribute_exists(pk)'`,
  },
  {
    name: 'product-write-ignores-what-was-read',
    caughtBy: { kind: 'plain', scenario: 'order retried' },
    guarantee: 'a product is changed only where nobody has changed it since it was read',
    file: 'lib/inventory/product-repository.ts',
    find: `'#status = :statusAsRead AND #version = :versionAsRead'`,
    replace: `'(#status = :statusAsRead AND #version = :versionAsRead) OR attribute_exists(pk)'`,
  },
  {
    name: 'first-write-overwrites',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'what is new is written only where there was nothing',
    file: DYNAMO,
    find: `{ ConditionExpression: 'attribute_not_exists(pk)' }`,
    replace: `{}`,
  },
  {
    name: 'order-is-placed-over-itself',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'an order that was placed before is not written again as a new one',
    file: ORDER_REPOSITORY,
    find: `    const put = new PutCommand(putOf(this.#table, order, undefined));`,
    replace: `    const { ConditionExpression: _absent, ...unconditional } = putOf(this.#table, order, undefined);
    const put = new PutCommand(unconditional);`,
  },

  // Reservations: revisions, tombstones, stock
  {
    name: 'older-revision-reserves',
    caughtBy: { kind: 'late', scenario: 'modified while waiting for its payment' },
    guarantee: 'a reserve at a lower revision than the stored one is refused',
    file: RESERVATION_LIFECYCLE,
    find: `  if (revision < stored.revision) return { kind: 'REFUSE', because: 'STALE_REVISION' };
`,
    replace: '',
  },
  {
    name: 'same-revision-reserves-twice',
    caughtBy: { kind: 'plain', scenario: 'answer of Inventory lost' },
    guarantee: 'a reserve at the stored revision answers what is held and takes nothing',
    file: RESERVATION_LIFECYCLE,
    find: `        ? { kind: 'ANSWER', current: stored }
        : { kind: 'ADJUST', held: stored };`,
    replace: `        ? { kind: 'RESERVE' }
        : { kind: 'ADJUST', held: stored };`,
  },
  {
    name: 'newer-revision-forgets-what-is-held',
    caughtBy: { kind: 'plain', scenario: 'modified while waiting for its payment' },
    guarantee: 'a reserve at a higher revision takes only the difference to what is held',
    file: RESERVATION_LIFECYCLE,
    find: `: { kind: 'ADJUST', held: stored };`,
    replace: `: { kind: 'RESERVE' };`,
  },
  {
    name: 'reserve-resurrects',
    caughtBy: { kind: 'late', scenario: 'cancelled while waiting for its payment' },
    guarantee: 'a reserve at the revision of a tombstone is refused',
    file: RESERVATION_LIFECYCLE,
    find: `        ? { kind: 'REFUSE', because: 'RESERVATION_GONE' }
        : { kind: 'RESERVE' };`,
    replace: `        ? { kind: 'RESERVE' }
        : { kind: 'RESERVE' };`,
  },
  {
    name: 'release-leaves-no-tombstone',
    caughtBy: { kind: 'late', scenario: 'cancelled while reserving' },
    guarantee: 'a release leaves a tombstone where nothing was reserved',
    file: RESERVATION_LIFECYCLE,
    find: `        const changes = decision.kind === 'RELEASE' ? givenBack(decision.held.lines) : [];
`,
    replace: `        if (decision.kind === 'MARK') return next;
        const changes = givenBack(decision.held.lines);
`,
  },
  {
    name: 'late-release-takes-newer-stock',
    caughtBy: { kind: 'late', scenario: 'payment retried' },
    guarantee: 'a release at a lower revision leaves a newer reservation alone',
    file: RESERVATION_LIFECYCLE,
    find: `  if (stored.revision > revision) return { kind: 'NOTHING', current: stored };
`,
    replace: '',
  },
  {
    name: 'any-revision-is-sold',
    caughtBy: { kind: 'late', scenario: 'modified in vain until more comes' },
    guarantee: 'only the revision that was paid for is extended and confirmed',
    file: RESERVATION_LIFECYCLE,
    find: ` || stored.revision !== revision`,
    replace: '',
    // The second guard: a refused change that arrives late finds its revision taken.
    also: [
      {
        file: REJECT_RESERVATION,
        find: `if (held?.status !== 'HELD' || held.revision >= order.revision) return held;`,
        replace: `if (held !== undefined) return held;`,
      },
    ],
  },
  {
    name: 'stock-is-taken-unseen',
    caughtBy: { kind: 'rival', scenario: 'the last piece', rival: 'buys the rest' },
    guarantee: 'stock is taken only where so much is available at that moment',
    file: INVENTORY_REPOSITORY,
    find: `'available >= :needed', `,
    replace: `'(available >= :needed OR attribute_exists(pk))', `,
  },
  {
    name: 'stock-moves-after-its-reservation',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'a reservation and the stock of its products change in one transaction',
    file: INVENTORY_REPOSITORY,
    find: `        : this.#documents.send(
            new TransactWriteCommand({ TransactItems: [{ Put: put }, ...updates] }),
          );`,
    replace: `        : this.#documents.send(new PutCommand(put)).then(() =>
            this.#documents.send(new TransactWriteCommand({ TransactItems: updates })),
          );`,
  },

  // Money
  {
    name: 'every-charge-has-a-new-key',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'the payment id is the idempotency key of every charge of a payment',
    file: 'lib/payments/http-gateway.ts',
    find: `{ 'idempotency-key': paymentId }`,
    replace: `{ 'idempotency-key': runtime.ids.random() }`,
  },
  {
    name: 'late-capture-is-kept',
    caughtBy: { kind: 'plain', scenario: 'captured after it was given up' },
    guarantee: 'a capture of a payment that was given up owes its refund in the same write',
    file: PAYMENT_OUTCOMES,
    find: `refundDueFields(service, 'LATE_CAPTURE')`,
    replace: `{}`,
  },
  {
    name: 'payment-is-given-up-without-a-void',
    caughtBy: { kind: 'plain', scenario: 'captured after it was given up' },
    guarantee: 'a payment that is given up owes its void',
    file: PAYMENT_OUTCOMES,
    find: `{ code, voidOwed: { dueAtMs: nowMs + service.deadlines.dispatchMs } }`,
    replace: `{ code }`,
  },
  {
    name: 'void-is-not-sent',
    caughtBy: { kind: 'plain', scenario: 'never captured' },
    guarantee: 'a payment is voided at the gateway, so that it can never be captured later',
    file: SETTLE_PAYMENT,
    find: `? await service.gateway.void({ ...payment, orderId: order.orderId })`,
    replace: `? ({ status: 'VOIDED' } as const)`,
  },
  {
    name: 'money-stays-when-the-stock-is-gone',
    caughtBy: { kind: 'plain', scenario: 'Inventory away after the capture' },
    guarantee: 'a captured payment whose stock is gone owes its refund',
    file: CONFIRM_ORDER,
    find: `      await recordRefundDue(service, keyOfCurrent(order), 'RESERVATION_GONE');
`,
    replace: '',
  },
  {
    name: 'charge-without-extension',
    caughtBy: { kind: 'plain', scenario: 'expired before its charge' },
    guarantee: 'a late payment extends its reservation before the charge',
    file: TAKE_PAYMENT,
    find: `  await extendHold(service, order);
`,
    replace: '',
  },
  {
    name: 'hold-without-allowance',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'stock is held for longer than the user may take to pay, by the longest payment',
    file: RESERVE_STOCK,
    find: `{ holdSeconds: deadlines.holdSeconds,`,
    replace: `{ holdSeconds: deadlines.holdSeconds - Math.floor(deadlines.allowanceMs / 1000),`,
    also: [
      {
        file: RESERVE_STOCK,
        find: `(remainingMs ?? 0) - deadlines.allowanceMs,`,
        replace: `remainingMs ?? 0,`,
      },
    ],
  },
  {
    name: 'repeated-reserve-promises-the-whole-time',
    caughtBy: { kind: 'lost run', scenario: 'paid' },
    guarantee: 'an order can be paid for what is left of the hold, however late its answer comes',
    file: RESERVE_STOCK,
    find: `    (remainingMs ?? 0) - deadlines.allowanceMs,
`,
    replace: `    (remainingMs ?? 0) > deadlines.allowanceMs ? Infinity : 0,
`,
  },
  {
    name: 'charge-without-stock',
    caughtBy: { kind: 'plain', scenario: 'expired before its charge' },
    guarantee: 'the gateway is not called where the stock is gone',
    file: TAKE_PAYMENT,
    find: `    if (!(error instanceof ReservationGone)) throw error;
`,
    replace: `    if (error instanceof ReservationGone) return;
    throw error;
`,
  },
  {
    name: 'charge-counts-without-capture',
    caughtBy: { kind: 'plain', scenario: 'declined' },
    guarantee: 'the saga goes on to confirm only what the gateway has captured',
    file: TAKE_PAYMENT,
    find: `  requireCaptured(recorded.payment);
`,
    replace: '',
    also: [
      {
        file: CONFIRM_ORDER,
        find: `  if (payment.status === 'CAPTURED' && payment.refundOwed === undefined) return payment;`,
        replace: `  if (payment.status !== 'CAPTURED' || payment.refundOwed === undefined) return payment;`,
      },
      // The last guard: P3 is checked before each write and after each read.
      {
        file: ORDER_PAYMENTS,
        find: `  if (order.status !== 'PAYMENT_DONE') return;`,
        replace: `  if (order.orderId !== '') return;`,
      },
    ],
  },
  {
    name: 'payment-follows-its-order',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'an order and its payment change in one write',
    file: START_PAYMENT,
    find: `  await service.orders.save(next, order);`,
    replace: `  const unpaid = { ...next, payments: order.payments } as unknown as typeof next;
  await service.orders.save(unpaid, order);
  await service.orders.save({ ...next, writes: next.writes + 1 }, unpaid);`,
  },
  {
    name: 'payment-precedes-its-method',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'what a payment is charged with is kept before the payment is',
    file: START_PAYMENT,
    find: `  await keepMethod(service, methodId, request);
  await service.orders.save(next, order);`,
    replace: `  await service.orders.save(next, order);
  await keepMethod(service, methodId, request);`,
  },

  // Acknowledgements
  {
    name: 'amount-not-compared',
    caughtBy: { kind: 'plain', scenario: 'captured another amount' },
    guarantee: 'a capture counts only with the amount and currency that were asked for',
    file: HTTP_GATEWAY,
    find: `charge.status === 'CAPTURED' && !isAsAsked`,
    replace: `charge.status === 'CAPTURED' && charge.amount === undefined`,
  },
  {
    name: 'acknowledgement-believed',
    caughtBy: { kind: 'plain', scenario: 'acknowledged untruly' },
    guarantee: 'an event of the gateway only makes the gateway be asked',
    file: 'lib/orders/handle-acknowledgement.ts',
    find: `await service.gateway.findCharge({ paymentId, amount })`,
    replace: `(await service.gateway.findCharge({ paymentId, amount })) && ({ status: 'CAPTURED' } as const)`,
  },
  {
    name: 'event-counts-every-time',
    caughtBy: { kind: 'plain', scenario: 'acknowledged twice' },
    guarantee: 'an event of the gateway has its effect once, however often it is delivered',
    file: PAYMENT_OUTCOMES,
    find: `      if (payment.status === 'CAPTURED' || payment.status === 'REFUNDED') return undefined;
      return isWanted`,
    replace: `      if (payment.status === 'REFUNDED') return undefined;
      if (payment.status === 'CAPTURED') return withRefundDue(service, payment, 'LATE_CAPTURE');
      return isWanted`,
  },
  {
    name: 'any-run-begins-to-reserve',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'only the run of the order moves it out of CREATED',
    file: STORED_ORDER,
    find: ` AND #run = :run AND schemaVersion`,
    replace: ` AND #run >= :run AND schemaVersion`,
  },
  {
    name: 'late-event-is-dropped',
    caughtBy: { kind: 'plain', scenario: 'captured after it was given up' },
    guarantee: 'a capture that is told late is written down, whatever the payment is by now',
    file: PAYMENT_OUTCOMES,
    find: `      return isWanted(order, payment)
        ? movePayment(payment, 'CAPTURED', {}, { reason: 'CAPTURED', at })`,
    replace: `      if (!isOpen(payment)) return undefined;
      return isWanted(order, payment)
        ? movePayment(payment, 'CAPTURED', {}, { reason: 'CAPTURED', at })`,
  },
  {
    name: 'wait-keeps-its-token',
    caughtBy: { kind: 'plain', scenario: 'acknowledged' },
    guarantee:
      'the wait for an acknowledgement leaves its token where the acknowledgement finds it',
    file: AWAIT_ACKNOWLEDGEMENT,
    find: `  await storeWait(service, input);
`,
    replace: '',
  },

  // Nothing lost, nothing stuck
  {
    name: 'nothing-is-ever-due',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'what the system owes the next move is in the index that the dispatcher reads',
    file: DYNAMO,
    find: `    : { dueShard: shardName('due', shardOf(id, DUE_SHARDS)), dueKeyMs };`,
    replace: `    : {};`,
  },
  {
    name: 'placed-order-is-not-due',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'a new order is due from the write that makes it',
    file: PLACE_ORDER,
    find: `    dueAtMs: nowMs + service.deadlines.dispatchMs,
`,
    replace: '',
  },
  {
    name: 'started-payment-is-not-due',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'an order is due from the write that starts its payment',
    file: START_PAYMENT,
    find: `      dueAtMs: nowMs + service.deadlines.dispatchMs,
`,
    replace: '',
  },
  {
    name: 'dispatched-order-is-no-longer-due',
    caughtBy: { kind: 'crash', scenario: 'paid' },
    guarantee: 'what was dispatched is due again, until the system owes no move any more',
    file: DISPATCH,
    find: `dueAtMs: number): Promise<void> {
  await service.orders.save(touchOrder<Order>(order, { dueAtMs }), order);`,
    replace: `dueAtMs: number): Promise<void> {
  const { dueAtMs: _due, ...rest } = touchOrder<Order>(order, { dueAtMs }) as OwedOrder;
  await service.orders.save(rest as Order, order);`,
  },
  {
    name: 'debt-of-a-payment-is-not-due',
    caughtBy: { kind: 'plain', scenario: 'captured after it was given up' },
    guarantee: 'the outbox holds an order for what its payments owe, too',
    file: ORDER_DUE,
    find: `[ownDueMs(order), ...order.payments.map(paymentDueMs)]`,
    replace: `[ownDueMs(order)]`,
  },
  {
    name: 'outbox-key-is-too-late',
    caughtBy: { kind: 'plain', scenario: 'captured after it was given up' },
    guarantee: 'the outbox finds an order no later than the earliest of what it owes',
    file: ORDER_DUE,
    find: `  return Math.min(order.dueKeyMs ?? dueMs, dueMs);`,
    replace: `  return order.dueKeyMs ?? dueMs;`,
  },
  {
    name: 'seen-change-keeps-its-version',
    caughtBy: { kind: 'plain', scenario: 'modified in vain until more comes' },
    guarantee: 'what a user can see of an order has a new version each time it changes',
    file: MOVES,
    find: `  return { ...touchOrder(order, changes), version: order.version + 1 };`,
    replace: `  return touchOrder(order, changes);`,
  },
  {
    name: 'decided-wait-is-not-ended',
    caughtBy: { kind: 'plain', scenario: 'expired before its charge' },
    guarantee: 'a step that finds its wait for the user decided completes itself',
    file: RESERVE_STOCK,
    find: `      case 'PAYMENT_DONE':
        await service.saga.signal(token);
        return;`,
    replace: `      case 'PAYMENT_DONE':
        return;`,
  },
  {
    name: 'settled-wait-is-not-ended',
    caughtBy: { kind: 'plain', scenario: 'modified just before the wait for the acknowledgement' },
    guarantee: 'a step that finds its payment settled before it waits completes itself',
    file: AWAIT_ACKNOWLEDGEMENT,
    find: `token: string): Promise<void> {
  await service.saga.signal(token);
`,
    replace: `token: string): Promise<void> {
`,
  },
  {
    name: 'order-waits-before-its-token-is-stored',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'whoever decides on an order that waits finds the token of its wait',
    file: RESERVE_STOCK,
    find: `  await storeWait(service, input);
  return awaitUser(service, input, reserving, reserved);`,
    replace: `  await awaitUser(service, input, reserving, reserved);
  await storeWait(service, input);`,
  },
  {
    name: 'late-duplicate-takes-the-place-of-the-token',
    caughtBy: { kind: 'late', scenario: 'modified while waiting for its payment' },
    guarantee: 'a token is stored only if no newer attempt has stored its own',
    file: STORED_WAIT,
    find: `'attribute_not_exists(pk) OR run < :run OR`,
    replace: `'attribute_not_exists(pk) OR attribute_exists(pk) OR run < :run OR`,
  },
  {
    name: 'wish-is-not-seen',
    caughtBy: { kind: 'plain', scenario: 'modified just before the wait for the acknowledgement' },
    guarantee: 'a step that has stored its token sees what the user asked for before that',
    file: AWAIT_ACKNOWLEDGEMENT,
    find: `if (isTimeUp || hasPendingModification(order)) await`,
    replace: `if (isTimeUp) await`,
  },
  {
    name: 'order-fails-before-its-stock-is-back',
    caughtBy: { kind: 'plain', scenario: 'declined' },
    guarantee: 'an order is PAYMENT_FAILED only when its stock is back or owed back',
    file: COMPENSATE,
    find: `  await service.inventory.release(order);
  observeReleased(order);
  await retryOnConflict(service, async () => {
    const current = await service.orders.getOrder(order.orderId);
    if (current?.status !== 'PAYMENT_IN_PROGRESS' || current.revision !== order.revision) return;
    const failure = failureOf(current);
    if (failure !== undefined) await moveToPaymentFailed(service, current, failure);
  });
`,
    replace: `  await moveToPaymentFailed(service, order, failureOf(order) ?? '');
  await service.inventory.release(order);
  observeReleased(order);
`,
  },
  {
    name: 'cancelled-order-owes-nothing',
    caughtBy: { kind: 'plain', scenario: 'cancelled while waiting for its payment' },
    guarantee: 'an order that is cancelled owes its stock back from the same write',
    file: 'lib/orders/cancel-order.ts',
    find: `const releaseOwed = releaseOwedBy(order);`,
    replace: `const releaseOwed = undefined;`,
  },
  {
    name: 'failed-reservation-owes-nothing',
    caughtBy: { kind: 'late', scenario: 'out of stock until more comes' },
    guarantee:
      'an order whose reservation failed owes a release, in case it was reserved after all',
    file: REJECT_RESERVATION,
    find: `  return {
    releaseOwed: { revision: order.revision },
    dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
  };`,
    replace: `  return {};`,
  },
  {
    name: 'expired-order-owes-nothing',
    caughtBy: { kind: 'plain', scenario: 'expired' },
    guarantee: 'an order whose time is up owes its stock back from the same write',
    file: EXPIRE_ORDER,
    find: `        releaseOwed: { revision: order.revision },
`,
    replace: '',
  },

  {
    name: 'time-out-of-the-state-decides',
    caughtBy: { kind: 'plain', scenario: 'wait timed out early' },
    guarantee: "an order expires at its own time, not at the time-out of the saga's wait",
    file: EXPIRE_ORDER,
    find: `    if (!isExpired(service, order)) {
      throw new StillAwaitingPayment('The reservation still has time.');
    }
`,
    replace: '',
  },

  // A lost run and its successor
  {
    name: 'hung-reservation-has-no-successor',
    caughtBy: { kind: 'plain', scenario: 'hung while reserving' },
    guarantee: 'an order that is reserved for longer than a run can take gets its next run',
    file: DISPATCH,
    find: `  if (execution !== 'CLOSED' && !isReservingTooLong(service, order, execution.startedAtMs)) {`,
    replace: `  if (execution !== 'CLOSED') {`,
  },
  {
    name: 'lost-run-has-no-successor',
    caughtBy: { kind: 'lost run', scenario: 'paid' },
    guarantee: 'the dispatcher starts the next run of an order whose execution has ended too early',
    file: DISPATCH,
    find: `  if (execution !== 'CLOSED' && !isReservingTooLong(service, order, execution.startedAtMs)) {`,
    replace: `  if (execution !== undefined) {`,
  },
  {
    name: 'successor-is-not-written',
    caughtBy: { kind: 'lost run', scenario: 'paid' },
    guarantee: 'the next run is written on its order before it starts',
    file: DISPATCH,
    find: `  await service.orders.save(next, order);
  observe('SagaRestarted'`,
    replace: `  observe('SagaRestarted'`,
  },
  {
    name: 'given-up-change-is-applied',
    caughtBy: { kind: 'lost run', scenario: 'modified in vain until more comes' },
    guarantee: 'the next run rejects a change for which Inventory keeps the old items',
    file: RESERVE_STOCK,
    find: `    if (!sameItems(reservation.items, intendedItems(order))) {
      throw new ModificationGivenUp('Inventory holds other items at this revision.');
    }
`,
    replace: '',
  },

  // Whose order it is
  {
    name: 'old-run-goes-on',
    caughtBy: { kind: 'late', scenario: 'order retried' },
    guarantee: 'only the newest run of an order takes its steps',
    file: 'lib/orders/saga/task.ts',
    find: `if (order?.run !== input.run) {`,
    replace: `if (order === undefined) {`,
  },
  {
    name: 'repeated-request-is-a-new-order',
    caughtBy: { kind: 'crash', scenario: 'ordered twice on purpose' },
    guarantee: 'the same idempotency key finds the order that it made',
    file: PLACE_ORDER,
    find: `request.idempotencyKey ?? service.ids.random()`,
    replace: `service.ids.random()`,
  },
  {
    name: 'order-is-not-entered',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: "an order is entered among its user's open orders before it is written",
    file: PLACE_ORDER,
    find: `const seen = await service.orders.enterOpenOrder(userId, entry, maxEntries);`,
    replace: `const seen = undefined;`,
  },
  {
    name: 'entry-is-overwritten',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'an order is entered only where its items have no entry',
    file: ORDER_REPOSITORY,
    find: `'attribute_not_exists(#entry) AND (`,
    replace: `'(attribute_not_exists(#entry) OR attribute_exists(entryCount)) AND (`,
  },
  {
    name: 'cap-is-counted-by-reading',
    caughtBy: { kind: 'plain', scenario: 'paid' },
    guarantee: 'the write that enters an order counts the entries itself',
    file: ORDER_REPOSITORY,
    find: `OR entryCount < :maxEntries)'`,
    replace: `OR entryCount < :maxEntries OR attribute_exists(entryCount))'`,
  },
  {
    name: 'open-orders-are-overwritten',
    caughtBy: { kind: 'plain', scenario: 'order retried' },
    guarantee: 'open orders are rewritten only where nobody has changed them since they were seen',
    file: ORDER_REPOSITORY,
    find: `ConditionExpression: 'version = :seenVersion'`,
    replace: `ConditionExpression: 'version = :seenVersion OR attribute_exists(pk)'`,
  },
  {
    name: 'entry-is-free-at-once',
    caughtBy: { kind: 'plain', scenario: 'ordered twice at the same moment' },
    guarantee: 'an entry stands without its order for longer than a handler lives',
    file: OPEN_ORDERS,
    find: `export const IN_FLIGHT_MS = 60_000;`,
    replace: `export const IN_FLIGHT_MS = 0;`,
  },
  {
    name: 'entry-in-flight-does-not-count',
    caughtBy: { kind: 'plain', scenario: 'retried while the last place is wanted' },
    guarantee: 'an order counts from its entry on, whatever its status',
    file: OPEN_ORDERS,
    find: `  if (isInFlight(one, known, rules)) return 'COUNTS';
`,
    replace: '',
  },
  {
    name: 'renewed-entry-is-dropped',
    caughtBy: { kind: 'plain', scenario: 'modified while the same is ordered' },
    guarantee: 'an entry of the last minute is never dropped',
    file: OPEN_ORDERS,
    find: `if (isRecent(one, rules) || standing === 'WARNS') return true;`,
    replace: `if (standing === 'WARNS') return true;`,
  },
  {
    name: 'retry-takes-no-place',
    caughtBy: { kind: 'plain', scenario: 'retried without a place' },
    guarantee: 'a retried order takes a place among the open ones',
    file: 'lib/orders/retry-order.ts',
    find: `  await admitOrder(service, order.userId, admissionOf(service, 'RETRY', order));
`,
    replace: '',
  },

  // One cannot stop all
  {
    name: 'refused-call-is-an-outage',
    caughtBy: { kind: 'plain', scenario: 'Inventory refuses one order for no known reason' },
    guarantee: 'a 4xx that nobody understands is an answer to one call, and no outage',
    file: INVENTORY_CLIENT,
    find: `  if (response.status < 500) return misunderstood(response);
`,
    replace: '',
  },
  {
    name: 'throttling-is-an-outage',
    caughtBy: { kind: 'plain', scenario: 'Inventory throttled' },
    guarantee: 'a 429 of Inventory does not count for the circuit',
    file: INVENTORY_CLIENT,
    find: `      return error instanceof InventoryTimeout || error instanceof InventoryUnavailable
`,
    replace: `      return error instanceof InventoryTimeout ||
        error instanceof InventoryUnavailable ||
        error instanceof InventoryThrottled
`,
  },
  {
    name: 'one-order-opens-the-circuit',
    caughtBy: { kind: 'plain', scenario: 'Inventory never answers about one order' },
    guarantee: 'failed calls of one order open no circuit, however many they are',
    file: 'lib/platform/circuit.ts',
    find: `        failedSubjects.size >= rules.minSubjects &&
`,
    replace: '',
  },
  {
    name: 'missing-answer-ends-the-reservation',
    caughtBy: { kind: 'plain', scenario: 'answer of Inventory lost' },
    guarantee: 'an order that Inventory holds up waits and comes back',
    file: RESERVE_STOCK,
    find: `    if (isPassing(error)) throw await recordPause(service, order, error);
`,
    replace: '',
  },
  {
    name: 'outage-budget-never-ends',
    caughtBy: { kind: 'plain', scenario: 'Inventory never answers about one order' },
    guarantee: 'an order that Inventory holds up fails when its outage budget is spent',
    file: RESERVE_STOCK,
    find: `notBeforeMs - sinceMs > service.config.INVENTORY_OUTAGE_BUDGET_SECONDS * 1000`,
    replace: `notBeforeMs - sinceMs === Infinity`,
  },
  {
    name: 'outage-budget-begins-anew',
    caughtBy: { kind: 'plain', scenario: 'Inventory never answers about one order' },
    guarantee: 'the outage budget is counted from the first failure',
    file: RESERVE_STOCK,
    find: `  const sinceMs = order.outage?.sinceMs ?? nowMs;
`,
    replace: `  const sinceMs = nowMs;
`,
  },
  {
    name: 'throttled-function-fails-its-step',
    caughtBy: { kind: 'plain', scenario: 'every function taken' },
    guarantee: 'a step whose function is throttled is tried again',
    file: RETRY_POLICIES,
    find: `  on: [...LAMBDA_THROTTLED, ...OVERLOAD],`,
    replace: `  on: OVERLOAD,`,
  },
  {
    name: 'throttled-call-fails-its-step',
    caughtBy: { kind: 'plain', scenario: 'gateway throttled' },
    guarantee: 'a step whose call is throttled is tried again',
    file: RETRY_POLICIES,
    find: `  on: [...LAMBDA_THROTTLED, ...OVERLOAD],`,
    replace: `  on: LAMBDA_THROTTLED,`,
  },
  {
    name: 'throttled-call-uses-up-retries',
    caughtBy: { kind: 'plain', scenario: 'gateway throttled' },
    guarantee: 'a throttled call of the gateway uses up no retries of an outage',
    file: HTTP_GATEWAY,
    find: `throw new GatewayThrottled(`,
    replace: `throw new GatewayUnavailable(`,
  },
  {
    name: 'full-user-is-admitted',
    caughtBy: { kind: 'plain', scenario: 'flooded by another user' },
    guarantee: 'a user whose places are all taken gets no other one',
    file: OPEN_ORDERS,
    find: `    if (open.length >= rules.maxOpenOrders) return { kind: 'FULL', open };
`,
    replace: '',
  },
  {
    name: 'pieces-are-not-limited',
    caughtBy: { kind: 'plain', scenario: 'more pieces than one order may have' },
    guarantee: 'one order has no more pieces of a product than one order may have',
    file: 'lib/inventory/refusals.ts',
    find: `  if (quantity > maxPerOrder) {`,
    replace: `  if (quantity === Infinity) {`,
  },
  {
    name: 'unreadable-order-locks-its-user-out',
    caughtBy: { kind: 'plain', scenario: 'ordered beside an unreadable order' },
    guarantee: 'an order that cannot be read is in the way of no other order',
    file: ORDER_REPOSITORY,
    find: `item === undefined ? undefined : readableOr(item, toOrder)`,
    replace: `item === undefined ? undefined : toOrder(item)`,
  },
];
