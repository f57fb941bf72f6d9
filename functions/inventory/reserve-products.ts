import { reserveBodySchema } from '../../lib/inventory/http/reservation-schemas.ts';
import { toReservationDocument } from '../../lib/inventory/http/reservation-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { reserveProducts } from '../../lib/inventory/reserve-products.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forServices } from '../../lib/platform/http/for-services.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'PUT /inventory/reservation/{orderId}',
    access: forServices(),
    body: jsonBody(reserveBodySchema),
  },
  async ({ path, body, correlationId }) => {
    const reservation = await reserveProducts(inventory(), {
      orderId: path['orderId'] ?? '',
      correlationId,
      revision: body.revision,
      keepsTime: body.keepsTime,
      lines: body.items,
    });
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
