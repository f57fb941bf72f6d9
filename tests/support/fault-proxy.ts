import { expect } from 'vitest';
import type { TestStack } from './test-stack.ts';

/** Makes the next calls of the Order Service to Inventory fail, as anybody would: over HTTP. */
export async function setFault(stack: TestStack, mode: string, times: number): Promise<void> {
  const response = await fetch(`${stack.companionUrl}/faults/inventory`, {
    method: 'PUT',
    body: JSON.stringify({ mode, times }),
  });
  expect(response.status, await response.text()).toBe(200);
}

/** How often the fault that was set last has struck. */
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
