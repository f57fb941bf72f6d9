import { extendReservation } from '../../lib/inventory/end-reservation.ts';
import { extendBodySchema } from '../../lib/inventory/http/reservation-schemas.ts';
import { toReservationDocument } from '../../lib/inventory/http/reservation-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forServices } from '../../lib/platform/http/for-services.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /inventory/reservation/{orderId}/extend',
    access: forServices(),
    body: jsonBody(extendBodySchema),
  },
  async ({ path, body }) => {
    const reservation = await extendReservation(inventory(), {
      orderId: path['orderId'] ?? '',
      revision: body.revision,
      untilMs: Date.parse(body.until),
    });
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
