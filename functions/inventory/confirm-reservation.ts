import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  confirmBodySchema,
  toReservationDocument,
} from '../../lib/inventory/http/reservation-api.ts';
import { forOrderService } from '../../lib/inventory/http/service-access.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { confirmReservation } from '../../lib/inventory/reservation-lifecycle.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /inventory/reservation/{orderId}/confirm',
    access: forOrderService,
    body: {
      schema: confirmBodySchema,
      example: { revision: 1, paymentId: 'pay_91b7e0d3c25a4f868e1f7a6b30' },
    },
    document: {
      tag: 'Reservations',
      summary: 'Turn reserved into sold',
      description:
        'For one payment; repeating it changes nothing. ' +
        'Called by the Order Service with its own credential, never by users.',
      answers: {
        200: { description: 'The confirmed reservation.', example: 'confirmedReservation' },
      } satisfies InventoryAnswers,
      problems: ['RESERVATION_GONE', 'LOCK_CONTENTION'],
    },
  },
  async ({ path, body }) => {
    const orderId = path['orderId'] ?? '';
    const reservation = await confirmReservation(inventory(), { orderId, ...body });
    return { status: 200, body: toReservationDocument(reservation) };
  },
);
