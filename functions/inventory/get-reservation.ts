import { getReservation } from '../../lib/inventory/end-reservation.ts';
import { toReservationDocument } from '../../lib/inventory/http/reservation-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forServices } from '../../lib/platform/http/for-services.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  { route: 'GET /inventory/reservation/{orderId}', access: forServices() },
  async ({ path }) => {
    const reservation = await getReservation(inventory(), path['orderId'] ?? '');
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
