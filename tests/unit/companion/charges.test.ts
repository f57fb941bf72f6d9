import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ChargeLedger } from '../../../local/companion/gateway/charges.ts';

const TOKENS = [
  'tok_ok',
  'tok_async',
  'tok_declined',
  'tok_insufficient_funds',
  'tok_ack_lost',
  'tok_ack_late',
  'tok_ack_twice',
  'tok_never_captured',
  'tok_gateway_down',
  'tok_flaky',
];

const LEGAL_MOVES = [
  'UNKNOWN>CAPTURED',
  'UNKNOWN>DECLINED',
  'UNKNOWN>PENDING',
  'UNKNOWN>VOIDED',
  'PENDING>CAPTURED',
  'PENDING>VOIDED',
  'CAPTURED>REFUNDED',
];

const PAYMENT_ID = 'pay-1';
const ORDER_ID = 'order-1';
const AMOUNT = { amount: 1299, currency: 'EUR' };

type Step = (ledger: ChargeLedger) => unknown;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(...TOKENS).map((token): Step => {
    const request = { paymentId: PAYMENT_ID, orderId: ORDER_ID, amount: AMOUNT, token };
    return (ledger) => ledger.charge(request);
  }),
  fc.constant<Step>((ledger) => ledger.void(PAYMENT_ID, null, null)),
  fc.constant<Step>((ledger) => ledger.refund(PAYMENT_ID)),
  fc.constant<Step>((ledger) => ledger.capture(PAYMENT_ID)),
);

it('moves a payment only forward and charges it once, whatever the order of calls', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let told = 0;
      const ledger = new ChargeLedger(() => {
        told += 1;
      });
      const chargeIds = new Set<string>();
      let status = 'UNKNOWN';
      for (const take of steps) {
        take(ledger);
        const next = ledger.find(PAYMENT_ID)?.status ?? 'UNKNOWN';
        if (next !== status) expect(LEGAL_MOVES).toContain(`${status}>${next}`);
        status = next;
        for (const { chargeId } of ledger.listByOrder(ORDER_ID)) chargeIds.add(chargeId);
      }
      expect(chargeIds.size).toBeLessThanOrEqual(1);
      // The acknowledger hears of a charge at most once, and of no refusal.
      expect(told).toBeLessThanOrEqual(chargeIds.size);
      if (status === 'CAPTURED' || status === 'REFUNDED') expect(told).toBe(1);
    }),
  );
});
