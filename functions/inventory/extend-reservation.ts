import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  extendBodySchema,
  toReservationDocument,
} from '../../lib/inventory/http/reservation-api.ts';
import { forOrderService } from '../../lib/inventory/http/service-access.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { extendReservation } from '../../lib/inventory/reservation-lifecycle.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /inventory/reservation/{orderId}/extend',
    access: forOrderService,
    body: { schema: extendBodySchema, example: { revision: 1, until: '2026-11-21T09:30:00.000Z' } },
    document: {
      tag: 'Reservations',
      summary: 'Hold a reservation for longer',
      description:
        'At least until the given time; never shorter. ' +
        'Called by the Order Service with its own credential, never by users.',
      answers: {
        200: { description: 'The reservation.', example: 'extendedReservation' },
      } satisfies InventoryAnswers,
      problems: ['RESERVATION_GONE', 'LOCK_CONTENTION'],
    },
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
