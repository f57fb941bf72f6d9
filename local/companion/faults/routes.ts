import { z } from 'zod';
import type { Call, Reply, Route } from '../http.ts';
import { ok, parse } from '../http.ts';
import { FAULT_MODE_NAMES } from './fault-modes.ts';
import type { InventoryFaults } from './inventory-faults.ts';

const TIMES = 'must be a whole number of at least 1, or left out: then until it is taken away';

const RATE = 'must be a whole number of at least 1, or left out: then it strikes every call';

const faultBody = z.strictObject({
  mode: z.enum(FAULT_MODE_NAMES, `must be one of ${FAULT_MODE_NAMES.join(', ')}`),
  times: z.int(TIMES).min(1, TIMES).optional(),
  callsPerSecond: z.int(RATE).min(1, RATE).optional(),
});

/** Routes that set, show and remove the fault between orders and inventory. */
export function createFaultRoutes(faults: InventoryFaults): readonly Route[] {
  return [
    {
      method: 'PUT',
      path: '/faults/inventory',
      summary:
        'makes calls to Inventory fail: { mode, times?, callsPerSecond? }; takes the place of an earlier one',
      handle: (call) => setFault(faults, call),
    },
    {
      method: 'GET',
      path: '/faults',
      summary: 'what is set, how many are left and how many struck',
      handle: () => describe(faults),
    },
    {
      method: 'DELETE',
      path: '/faults',
      summary: 'takes every fault away',
      handle: () => {
        faults.clear();
        return describe(faults);
      },
    },
  ];
}

function setFault(faults: InventoryFaults, call: Call): Reply {
  const { times = null, ...fault } = parse(faultBody, call.body, 'body');
  faults.set({ ...fault, times });
  return describe(faults);
}

function describe({ current }: InventoryFaults): Reply {
  if (current === undefined) return ok({ inventory: null });
  const { times, struck } = current;
  return ok({ inventory: { ...current, left: times === null ? null : times - struck } });
}
