import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Acknowledgements } from '../../../local/companion/gateway/acknowledgements.ts';
import { chargeJournal } from '../../../local/companion/gateway/charge-journal.ts';
import { ChargeLedger } from '../../../local/companion/gateway/charges.ts';
import { createLedger } from '../../../local/companion/gateway/routes.ts';
import { TravelClock } from '../../../local/stack/travel-clock.ts';

let folder: string;
let file: string;
const said = vi.spyOn(console, 'error');

beforeEach(() => {
  said.mockReset().mockImplementation(() => undefined);
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
  // A void is a tombstone for later processes too.
  expect(second.charge(request('pay_3'))).toMatchObject({ record: { status: 'VOIDED' } });
});

test('half a line of a process that was killed is cut off, and what comes after it is whole', () => {
  ledger().charge(request('pay_1'));
  const whole = readFileSync(file, 'utf8');
  appendFileSync(file, '{"paymentId":"pay_2","sta');

  const second = ledger();
  expect(second.find('pay_2')).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toBe(whole);
  expect(said.mock.calls).toEqual([[expect.stringContaining('Half a line at the end of')]]);
  second.charge(request('pay_2'));

  expect(
    ledger()
      .listByOrder('ord_1')
      .map(({ paymentId }) => paymentId),
  ).toEqual(['pay_1', 'pay_2']);
});

test('a record that an earlier version wrote behind half a line is read all the same', () => {
  ledger().charge(request('pay_1'));
  const [whole = ''] = readFileSync(file, 'utf8').split('\n');
  const spliced = `{"paymentId":"pay_0","amount":{"amou${whole.replace('pay_1', 'pay_2')}`;
  appendFileSync(file, `${spliced}\n`);

  expect(ledger().find('pay_2')).toMatchObject({
    status: 'CAPTURED',
    chargeId: expect.any(String),
  });
  expect(ledger().find('pay_0')).toBeUndefined();
});

test.each(['null', '{}', '{"paymentId":"pay_1"}', 'what is this'])(
  'the line %s is refused by its number: nothing that was charged is forgotten in silence',
  (line) => {
    ledger().charge(request('pay_1'));
    appendFileSync(file, `${line}\n`);
    expect(() => ledger()).toThrow(`Line 2 of ${file} is not a charge`);
  },
);

describe('on a disk that is full after some bytes', () => {
  /** A journal whose writes end early, because the disk is full. */
  function fullDisk(bytes: number) {
    const disk = { isFull: true };
    const journal = chargeJournal(file, (descriptor, text) => {
      if (!disk.isFull) {
        appendFileSync(descriptor, text);
        return;
      }
      appendFileSync(descriptor, text.slice(0, bytes));
      throw Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' });
    });
    return { disk, ledger: new ChargeLedger(undefined, { journal }) };
  }

  test.each([0, 1, 40])('(%i) a charge is refused, said once, and not half written', (bytes) => {
    ledger().charge(request('pay_1'));
    const whole = readFileSync(file, 'utf8');
    const full = fullDisk(bytes);
    for (const paymentId of ['pay_2', 'pay_3']) {
      expect(() => full.ledger.charge(request(paymentId))).toThrow(
        expect.objectContaining({ status: 503, code: 'GATEWAY_UNAVAILABLE' }),
      );
      expect(full.ledger.find(paymentId)).toBeUndefined();
    }
    expect(readFileSync(file, 'utf8')).toBe(whole);
    expect(said.mock.calls).toEqual([[expect.stringContaining('no space left on device')]]);
  });

  test('it is charged, once, as soon as there is room, and both are known later', () => {
    const full = fullDisk(40);
    expect(() => full.ledger.charge(request('pay_1'))).toThrow();
    full.disk.isFull = false;
    full.ledger.charge(request('pay_1'));
    full.ledger.charge(request('pay_2'));

    const later = ledger();
    expect(later.listByOrder('ord_1').map(({ paymentId }) => paymentId)).toEqual([
      'pay_1',
      'pay_2',
    ]);
    expect(later.find('pay_1')).toEqual(full.ledger.find('pay_1'));
  });

  test('what is captured later waits for room, and is acknowledged then', async () => {
    const clock = new TravelClock();
    const posted: string[] = [];
    const acknowledgements = new Acknowledgements(
      clock,
      { url: 'http://shop', secret: 'a secret', ackLateMs: 1000 },
      { post: (_url, _headers, body) => Promise.resolve(posted.push(body) > 0) },
    );
    const full = fullDisk(40);
    full.disk.isFull = false;
    const outcome = full.ledger.charge(request('pay_1', 'tok_async'));
    if (outcome.result !== 'ANSWERED' || outcome.record.chargeId === null) throw new Error('no');
    acknowledgements.follow(full.ledger, outcome.record, 'ONE_SOON');
    full.disk.isFull = true;
    await clock.advance(5000);
    expect(posted).toEqual([]);

    full.disk.isFull = false;
    await clock.advance(5000);
    clock.stop();
    expect(posted).toHaveLength(1);
    expect(ledger().find('pay_1')).toMatchObject({ status: 'CAPTURED' });
  });

  test('a refusal to write does not undo what was captured before', () => {
    writeFileSync(file, '');
    const full = fullDisk(40);
    full.disk.isFull = false;
    full.ledger.charge(request('pay_1'));
    full.disk.isFull = true;
    expect(() => full.ledger.refund('pay_1')).toThrow();
    expect(full.ledger.find('pay_1')).toMatchObject({ status: 'CAPTURED' });
    expect(ledger().find('pay_1')).toMatchObject({ status: 'CAPTURED' });
  });
});

test.each([
  ['tok_async', 1],
  ['tok_ack_twice', 2],
  ['tok_never_captured', 0],
])(
  '%s that was pending when the companion was killed is acknowledged by the next one',
  async (token, count) => {
    writeFileSync(file, '');
    ledger().charge(request('pay_1', token));

    const clock = new TravelClock();
    const posted: string[] = [];
    const acknowledgements = new Acknowledgements(
      clock,
      { url: 'http://shop', secret: 'a secret', ackLateMs: 1000 },
      { post: (_url, _headers, body) => Promise.resolve(posted.push(body) > 0) },
    );
    createLedger(acknowledgements, { journal: chargeJournal(file) });
    await clock.advance(5000);
    clock.stop();

    expect(posted).toHaveLength(count);
    expect(ledger().find('pay_1')?.status).toBe(count > 0 ? 'CAPTURED' : 'PENDING');
  },
);
