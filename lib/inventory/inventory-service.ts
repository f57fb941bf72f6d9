import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import type { Ids } from '../platform/ids.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { InventoryRepository } from './inventory-repository.ts';
import { ProductRepository } from './product-repository.ts';

/** Dependencies of the Inventory Service's use cases. */
export interface InventoryService {
  readonly repository: InventoryRepository;
  readonly catalogue: ProductRepository;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: () => number;
  readonly config: Config;
}

export function inventoryService(runtime: Runtime): InventoryService {
  return {
    repository: new InventoryRepository(runtime),
    catalogue: new ProductRepository(runtime),
    clock: runtime.clock,
    ids: runtime.ids,
    random: runtime.random,
    config: runtime.config,
  };
}
