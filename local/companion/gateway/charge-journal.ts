import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import type { ChargeJournal, ChargeRecord } from './charges.ts';

/**
 * A file with a line for each change. A process that is killed may leave half a line behind: that
 * change was answered to nobody, and is cut off.
 */
export function chargeJournal(path: string): ChargeJournal {
  return {
    read() {
      if (!existsSync(path)) return [];
      const content = readFileSync(path, 'utf8');
      const whole = content.slice(0, content.lastIndexOf('\n') + 1);
      if (whole.length < content.length) truncateSync(path, Buffer.byteLength(whole));
      return whole
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ChargeRecord);
    },
    append(record) {
      appendFileSync(path, `${JSON.stringify(record)}\n`);
    },
  };
}
