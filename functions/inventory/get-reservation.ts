import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import { toReservationDocument } from '../../lib/inventory/http/reservation-api.ts';
import { forOrderService } from '../../lib/inventory/http/service-access.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { getReservation } from '../../lib/inventory/reservation-lifecycle.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'GET /inventory/reservation/{orderId}',
    access: forOrderService,
    document: {
      tag: 'Reservations',
      summary: 'Look at a reservation',
      description:
        'The reservation as it is now. Called by the Order Service with its own credential, never by users.',
      answers: {
        200: { description: 'The reservation.', example: 'heldReservation' },
      } satisfies InventoryAnswers,
      problems: ['NOT_FOUND'],
    },
  },
  async ({ path }) => {
    const reservation = await getReservation(inventory(), path['orderId'] ?? '');
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
