import { describe, expect, test } from 'vitest';
import type { Disagreement } from '../../../../tools/doctor/disagreement.ts';
import type { Summary } from '../../../../tools/doctor/examine.ts';
import { jsonPrinter, textPrinter } from '../../../../tools/doctor/print.ts';
import { payment } from './support.ts';

const STATUS: Disagreement = {
  check: 'charge-status',
  promise: 'P2',
  orderId: 'ord_1',
  paymentId: 'pay_1',
  found: 'DECLINED, and the gateway says CAPTURED',
  expected: 'no money for a payment that was given up',
  mend: 'record the capture',
  remedy: { kind: 'VOID_AGAIN', orderId: 'ord_1', payment: payment('PENDING') },
};
const SUMS: Disagreement = {
  check: 'stock-sums',
  promise: 'P1',
  productId: 'mug',
  found: 'reserved 2, held 1',
  expected: 'the same',
  mend: 'a person: count what is there',
};
const CLEAN: Summary = {
  read: { orders: 1, payments: 0, products: 4, reservations: 2, charges: 1 },
  owed: { refunds: 0, voids: 0, releases: 0 },
  found: 0,
  mended: 0,
  left: 0,
  inMotion: { items: 0, products: [] },
  unasked: { orders: 0 },
  isClean: true,
};
const FULL: Summary = {
  ...CLEAN,
  owed: { refunds: 1, voids: 0, releases: 2 },
  found: 3,
  mended: 1,
  left: 2,
  inMotion: { items: 5, products: ['mug', 'coffee'] },
  unasked: { orders: 7, because: 'The payment gateway answered 503.' },
  isClean: false,
};

function textOf(report: (printer: ReturnType<typeof textPrinter>) => void, fix = false): string {
  let text = '';
  report(
    textPrinter(
      (more) => {
        text += more;
      },
      { fix },
    ),
  );
  return text;
}

describe('as text', () => {
  test('a disagreement says what it is about, and what mends it', () => {
    expect(
      textOf((printer) => {
        printer.tell({ outcome: 'FOUND', disagreement: STATUS });
        printer.tell({ outcome: 'FOUND', disagreement: SUMS });
      }),
    ).toBe(
      `P2 charge-status: payment pay_1 of order ord_1
   found     DECLINED, and the gateway says CAPTURED
   expected  no money for a payment that was given up
   mend      record the capture (--fix does it)

P1 stock-sums: product mug
   found     reserved 2, held 1
   expected  the same
   mend      a person: count what is there

`,
    );
  });

  test('what was mended says so', () => {
    const because = 'TypeError: fetch failed';
    const text = textOf((printer) => {
      printer.tell({ outcome: 'MENDED', disagreement: STATUS });
      printer.tell({ outcome: 'NOT_MENDED', disagreement: STATUS, because });
    }, true);
    expect(text.split('\n').filter((line) => /mend/.test(line))).toEqual([
      '   mend      record the capture',
      '   => mended',
      '   mend      record the capture',
      '   => not mended: TypeError: fetch failed',
    ]);
  });

  test('the end says what was read and that all is well', () => {
    const text = textOf((printer) => {
      printer.end(CLEAN);
    });
    expect(text).toBe(
      'Read 1 order, 0 payments, 2 reservations, 4 products and 1 charge.\nNo disagreement.\n',
    );
  });

  test('the end says what is left and what could not be judged', () => {
    const text = textOf((printer) => {
      printer.end(FULL);
    });
    expect(text.split('\n')).toEqual([
      'Read 1 order, 0 payments, 2 reservations, 4 products and 1 charge.',
      'Owed, and on its way: 1 refund, 0 voids and 2 releases.',
      'In motion all the time, so not judged: 5 items.',
      'Sold or reserved all the time, so their sums could not be judged: mug, coffee. Run it again when less is going on.',
      'The payment gateway could not be asked about 7 orders (The payment gateway answered 503.): what it charged is not known.',
      '3 disagreements: 1 mended, 2 left.',
      '',
    ]);
  });
});

describe('as JSON', () => {
  function documentOf(report: (printer: ReturnType<typeof jsonPrinter>) => void): unknown {
    let text = '';
    report(
      jsonPrinter((more) => {
        text += more;
      }),
    );
    return JSON.parse(text);
  }

  test('all is one document, without the items that were judged', () => {
    const { remedy: _remedy, ...status } = STATUS;
    expect(
      documentOf((printer) => {
        printer.tell({ outcome: 'FOUND', disagreement: STATUS });
        printer.tell({ outcome: 'NOT_MENDED', disagreement: SUMS, because: 'it is still there' });
        printer.end(FULL);
      }),
    ).toEqual({
      disagreements: [
        { ...status, isFixable: true, outcome: 'FOUND' },
        { ...SUMS, isFixable: false, outcome: 'NOT_MENDED', because: 'it is still there' },
      ],
      summary: FULL,
    });
  });

  test('nothing found is a document too', () => {
    const report = documentOf((printer) => {
      printer.end(CLEAN);
    });
    expect(report).toEqual({ disagreements: [], summary: CLEAN });
  });
});
