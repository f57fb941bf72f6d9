import { tamper } from './doctor.ts';
import { after, type Fault, stateMachineCall } from './faults.ts';

/** Makes the order's next charge so late that its reservation has to be extended first. */
export function chargedLate(orderId: string): Fault {
  return {
    on: stateMachineCall('SendTaskSuccess'),
    times: 1,
    act: after(() => tamper('ORDER', orderId, (item) => ({ ...item, reservationExpiresAtMs: 0 }))),
  };
}

/** Ends a reservation's hold now, for the next round of the sweeper. */
export async function endHold(orderId: string): Promise<void> {
  await tamper('RESERVATION', orderId, (item) => ({ ...item, expiresAtMs: 0 }));
}
