import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chargeJournal } from '../../../local/companion/gateway/charge-journal.ts';
import { ChargeLedger } from '../../../local/companion/gateway/charges.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ordersaga-journal-'));
  file = join(folder, 'charges.jsonl');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The ledger of another process on the same file. */
const ledger = () => new ChargeLedger(undefined, { journal: chargeJournal(file) });

const request = (paymentId: string, token = 'tok_ok') => ({
  paymentId,
  orderId: 'ord_1',
  amount: { amount: 1299, currency: 'EUR' },
  token,
});

test('what was charged, voided and refunded is known to a later process', () => {
  const first = ledger();
  first.charge(request('pay_1'));
  first.charge(request('pay_2', 'tok_never_captured'));
  first.void('pay_2', 'ord_1', null);
  first.void('pay_3', null, null);
  first.refund('pay_1');

  const second = ledger();

  expect(second.find('pay_1')).toEqual(first.find('pay_1'));
  expect(second.listByOrder('ord_1').map(({ status }) => status)).toEqual(['REFUNDED', 'VOIDED']);
  // A void is a tombstone for later processes, too.
  expect(second.charge(request('pay_3'))).toMatchObject({ record: { status: 'VOIDED' } });
});

test('half a line of a process that was killed is cut off, and what comes after it is whole', () => {
  ledger().charge(request('pay_1'));
  const whole = readFileSync(file, 'utf8');
  appendFileSync(file, '{"paymentId":"pay_2","sta');

  const second = ledger();
  expect(second.find('pay_2')).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toBe(whole);
  second.charge(request('pay_2'));

  expect(
    ledger()
      .listByOrder('ord_1')
      .map(({ paymentId }) => paymentId),
  ).toEqual(['pay_1', 'pay_2']);
});
