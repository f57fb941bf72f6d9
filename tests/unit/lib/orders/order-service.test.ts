import { describe, expect, test } from 'vitest';
import { retryOnConflict } from '../../../../lib/orders/order-service.ts';
import { ConcurrentUpdate } from '../../../../lib/platform/errors.ts';
import { orderIn, World } from './fakes.ts';

const { service } = new World(orderIn('CREATED'));

/** Loses against another writer the first `conflicts` times; tells what it was given at each try. */
function contended(conflicts: number) {
  const given: unknown[] = [];
  const decide = (known: string | undefined) => {
    given.push(known);
    return given.length > conflicts
      ? Promise.resolve('written')
      : Promise.reject(new ConcurrentUpdate('Somebody else was faster.'));
  };
  return { given, decide };
}

describe('a write that others interfere with', () => {
  test('starts from what is known, and reads again after a conflict', async () => {
    const { given, decide } = contended(2);
    expect(await retryOnConflict(service, decide, 'order')).toBe('written');
    expect(given).toEqual(['order', undefined, undefined]);
  });

  test('reads at once where nothing is known', async () => {
    const { given, decide } = contended(0);
    expect(await retryOnConflict(service, decide)).toBe('written');
    expect(given).toEqual([undefined]);
  });

  test('is given up after eight tries', async () => {
    const { given, decide } = contended(8);
    await expect(retryOnConflict(service, decide, 'order')).rejects.toBeInstanceOf(
      ConcurrentUpdate,
    );
    expect(given).toHaveLength(8);
  });

  test('is not repeated after another failure', async () => {
    const gone = new TypeError('No such field.');
    await expect(retryOnConflict(service, () => Promise.reject(gone))).rejects.toBe(gone);
  });
});
