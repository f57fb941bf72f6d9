import { sleep } from '../../platform/clock.ts';
import type { OrderService } from '../order-service.ts';

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 250;

/**
 * Serves `Prefer: wait`: reads again, with growing pauses, until the value is decided or the time is up.
 * @returns the last value read.
 */
export async function waitFor<Value>(
  service: Pick<OrderService, 'clock'>,
  waitSeconds: number,
  first: Value,
  isDecided: (value: Value) => boolean,
  read: () => Promise<Value>,
): Promise<Value> {
  const untilMs = service.clock.now() + waitSeconds * 1000;
  let value = first;
  let pauseMs = FIRST_PAUSE_MS;
  while (!isDecided(value)) {
    const leftMs = untilMs - service.clock.now();
    if (leftMs <= 0) return value;
    await sleep(service.clock, Math.min(pauseMs, leftMs));
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5);
    value = await read();
  }
  return value;
}
