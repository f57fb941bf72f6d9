import { releaseReservation } from '../../lib/inventory/end-reservation.ts';
import { releaseQuerySchema } from '../../lib/inventory/http/reservation-schemas.ts';
import { toReservationDocument } from '../../lib/inventory/http/reservation-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forServices } from '../../lib/platform/http/for-services.ts';
import { queryParameters } from '../../lib/platform/http/query-parameters.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'DELETE /inventory/reservation/{orderId}',
    access: forServices(),
    query: queryParameters(releaseQuerySchema),
  },
  async ({ path, query }) => {
    const orderId = path['orderId'] ?? '';
    const reservation = await releaseReservation(inventory(), orderId, query.revision);
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
