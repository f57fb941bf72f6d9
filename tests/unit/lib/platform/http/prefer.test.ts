import { describe, expect, test } from 'vitest';
import { installTestRuntime } from '../test-issuer.ts';
import { call, issuer, prepare, seen } from './called-handler.ts';

prepare();

describe('Prefer', () => {
  test.each([
    [undefined, 0],
    ['', 0],
    ['wait=0', 0],
    ['wait=1', 1],
    ['wait=10', 10],
    ['wait=11', 10],
    ['wait=3600', 10],
    ['wait=99999999999999999999', 10],
    ['WAIT=3', 3],
    ['wait = 3', 3],
    ['wait="3"', 3],
    ['respond-async, wait=5', 5],
    ['wait=5, respond-async', 5],
    ['respond-async,wait=5', 5],
    ['wait=2, wait=9', 2],
    ['wait', 0],
    ['wait=', 0],
    ['wait=-1', 0],
    ['wait=soon', 0],
    ['x-wait=5', 0],
    ['await=5', 0],
    ['respond-async', 0],
  ])('%j waits %i seconds', async (prefer, seconds) => {
    await call(
      { headers: prefer === undefined ? {} : { Prefer: prefer } },
      { headers: ['Prefer'] },
    );
    expect(seen?.waitSeconds).toBe(seconds);
  });

  test('waits no longer than the stage does', async () => {
    installTestRuntime(issuer, undefined, { MAX_WAIT_SECONDS: '2' });
    await call({ headers: { Prefer: 'wait=10' } }, { headers: ['Prefer'] });
    expect(seen?.waitSeconds).toBe(2);
  });

  test('is ignored where the endpoint does not declare it', async () => {
    await call({ headers: { Prefer: 'wait=5' } });
    expect(seen?.waitSeconds).toBe(0);
  });
});
