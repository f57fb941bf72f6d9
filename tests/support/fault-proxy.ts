import { expect } from 'vitest';
import type { FaultMode } from '../../local/companion/faults/fault-modes.ts';
import type { TestStack } from './test-stack.ts';

/** Makes the Order Service's next calls to Inventory fail, through the proxy's public API. */
export async function setFault(stack: TestStack, mode: FaultMode, times: number): Promise<void> {
  const response = await fetch(`${stack.companionUrl}/faults/inventory`, {
    method: 'PUT',
    body: JSON.stringify({ mode, times }),
  });
  expect(response.status, await response.text()).toBe(200);
}

/** Number of strikes of the latest fault. */
export async function strikes(stack: TestStack): Promise<number | undefined> {
  const response = await fetch(`${stack.companionUrl}/faults`);
  const { inventory } = (await response.json()) as {
    readonly inventory: { readonly struck: number } | null;
  };
  return inventory?.struck;
}

export async function clearFaults(stack: TestStack): Promise<void> {
  await fetch(`${stack.companionUrl}/faults`, { method: 'DELETE' });
}
