import { expireReservations } from '../../lib/inventory/expire-reservations.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { scheduledHandler } from '../../lib/platform/lambda/scheduled-handler.ts';

const inventory = perRuntime(inventoryService);

export const handler = scheduledHandler('expire-reservations', (hasTime) =>
  expireReservations(inventory(), hasTime),
);
