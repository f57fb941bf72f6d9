import { releaseReservation } from '../../lib/inventory/end-reservation.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { releaseQuerySchema } from '../../lib/inventory/reservation-api.ts';
import { toReservationDocument } from '../../lib/inventory/reservation-view.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'DELETE /inventory/reservation/{orderId}',
    access: 'service',
    query: releaseQuerySchema,
  },
  async ({ path, query }) => {
    const orderId = path['orderId'] ?? '';
    const reservation = await releaseReservation(inventory(), orderId, query.revision);
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
