import { confirmReservation } from '../../lib/inventory/end-reservation.ts';
import { confirmBodySchema } from '../../lib/inventory/http/reservation-schemas.ts';
import { toReservationDocument } from '../../lib/inventory/http/reservation-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forServices } from '../../lib/platform/http/for-services.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /inventory/reservation/{orderId}/confirm',
    access: forServices(),
    body: jsonBody(confirmBodySchema),
  },
  async ({ path, body }) => {
    const orderId = path['orderId'] ?? '';
    const reservation = await confirmReservation(inventory(), { orderId, ...body });
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
