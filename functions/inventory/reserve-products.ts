import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  reserveBodySchema,
  toReservationDocument,
} from '../../lib/inventory/http/reservation-api.ts';
import { forOrderService } from '../../lib/inventory/http/service-access.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { reserveProducts } from '../../lib/inventory/reservation-lifecycle.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'PUT /inventory/reservation/{orderId}',
    access: forOrderService,
    body: {
      schema: reserveBodySchema,
      example: {
        revision: 1,
        items: [{ productId: 'prod-mug', quantity: 2 }],
      },
    },
    document: {
      tag: 'Reservations',
      summary: 'Reserve products',
      description:
        'All or nothing. A higher revision adjusts the difference, the same one answers the present ' +
        'state, a lower one is refused. Called by the Order Service with its own credential, never by users.',
      answers: {
        200: { description: 'The reservation.', example: 'heldReservation' },
      } satisfies InventoryAnswers,
      problems: [
        'OUT_OF_STOCK',
        'UNKNOWN_PRODUCT',
        'PRODUCT_UNAVAILABLE',
        'MIXED_CURRENCIES',
        'STALE_REVISION',
        'RESERVATION_GONE',
        'LOCK_CONTENTION',
      ],
    },
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
