import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  truncateSync,
} from 'node:fs';
import { z } from 'zod';
import { StartupProblem } from '../../stack/startup-problem.ts';
import { ProblemError } from '../http.ts';
import type { ChargeJournal, ChargeRecord } from './charges.ts';

/** Fields that every record has. The ledger itself wrote the others. */
const recordSchema = z.looseObject({
  paymentId: z.string(),
  chargeId: z.string().nullable(),
  status: z.enum(['CAPTURED', 'REFUNDED', 'DECLINED', 'PENDING', 'VOIDED']),
});

class ChargeJournalProblem extends StartupProblem {
  override readonly name = 'ChargeJournalProblem';
}

/** Appends text to an open file. Tests pass in one that fails. */
export type AppendText = (descriptor: number, text: string) => void;

/**
 * Journal of the charges: a file with a line for each change. No caller has received an answer for half a line,
 * so the journal cuts it off. A killed process leaves one for the next reader; a full disk leaves one for the
 * failing write.
 */
export function chargeJournal(
  path: string,
  appendText: AppendText = (descriptor, text) => {
    appendFileSync(descriptor, text);
  },
): ChargeJournal {
  let isFailing = false;
  /** Length of the file up to its last complete line; unknown before the first write. */
  let wholeBytes: number | undefined;

  const appendWhole = (text: string) => {
    const descriptor = openSync(path, 'a');
    try {
      const { size } = fstatSync(descriptor);
      wholeBytes ??= size;
      if (size > wholeBytes) ftruncateSync(descriptor, wholeBytes);
      try {
        appendText(descriptor, text);
      } catch (error) {
        ftruncateSync(descriptor, wholeBytes);
        throw error;
      }
      wholeBytes += Buffer.byteLength(text);
    } finally {
      closeSync(descriptor);
    }
  };

  return {
    /** @throws ChargeJournalProblem if a line holds no valid record. */
    read() {
      if (!existsSync(path)) return [];
      const content = readFileSync(path, 'utf8');
      const whole = content.slice(0, content.lastIndexOf('\n') + 1);
      if (whole.length < content.length) {
        console.error(`Half a line at the end of ${path} was answered to nobody, and is cut off.`);
        truncateSync(path, Buffer.byteLength(whole));
      }
      return whole
        .split('\n')
        .flatMap((line, index) => (line === '' ? [] : [recordOf(line, index + 1, path)]));
    },
    /** @throws ProblemError 503 if the write fails; the file then holds nothing of the record. */
    append(record) {
      try {
        appendWhole(`${JSON.stringify(record)}\n`);
        isFailing = false;
      } catch (cause) {
        if (!isFailing) {
          console.error(
            `Charges cannot be written to ${path} (${String(cause)}): they are refused until they can.`,
          );
        }
        isFailing = true;
        throw new ProblemError(
          503,
          'GATEWAY_UNAVAILABLE',
          'Nothing was changed: it cannot be written down. Try again with the same Idempotency-Key.',
        );
      }
    },
  };
}

/** @throws ChargeJournalProblem */
function recordOf(line: string, lineNumber: number, path: string): ChargeRecord {
  const record = parseRecord(line) ?? recordAtTheEndOf(line);
  if (record === undefined) {
    throw new ChargeJournalProblem(
      `Line ${String(lineNumber)} of ${path} is not a charge: the file is damaged.\n` +
        'Put back a copy of it, or remove that line and so forget what it says was charged.',
    );
  }
  return record;
}

/**
 * Finds the record behind half a line. Earlier versions did not cut off half a line after a full disk, and
 * appended the next record to it.
 */
function recordAtTheEndOf(line: string): ChargeRecord | undefined {
  for (let at = line.indexOf('{"', 1); at !== -1; at = line.indexOf('{"', at + 1)) {
    const record = parseRecord(line.slice(at));
    if (record !== undefined) return record;
  }
  return undefined;
}

function parseRecord(text: string): ChargeRecord | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return recordSchema.safeParse(record).success ? (record as ChargeRecord) : undefined;
  } catch {
    return undefined;
  }
}
