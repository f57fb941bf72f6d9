import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  releaseQuerySchema,
  toReservationDocument,
} from '../../lib/inventory/http/reservation-api.ts';
import { forOrderService } from '../../lib/inventory/http/service-access.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { releaseReservation } from '../../lib/inventory/reservation-lifecycle.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'DELETE /inventory/reservation/{orderId}',
    access: forOrderService,
    query: { schema: releaseQuerySchema, example: { revision: 1 } },
    document: {
      tag: 'Reservations',
      summary: 'Release a reservation',
      description:
        'Gives the stock back unless a newer revision holds it, and leaves a mark that no late ' +
        'reserve can pass. Called by the Order Service with its own credential, never by users.',
      answers: {
        200: { description: 'The reservation as it is now.', example: 'releasedReservation' },
      } satisfies InventoryAnswers,
      problems: ['LOCK_CONTENTION'],
    },
  },
  async ({ path, query }) => {
    const orderId = path['orderId'] ?? '';
    const reservation = await releaseReservation(inventory(), orderId, query.revision);
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
