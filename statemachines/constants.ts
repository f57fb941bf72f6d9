/*
 * Numbers that the state machine and the code share. They are no settings: nobody chooses them for a stage.
 */

/** Time-out of every function of the saga, in seconds; serverless.yml has it. */
export const FUNCTION_SECONDS = 20;

/** Time after which the state machine takes a task for lost, in seconds; every function ends sooner. */
export const TASK_SECONDS = 30;

/**
 * Time that the state machine gives to the user, from the beginning of the reservation: the reservation's time and the
 * longest single try before it.
 */
export function reservationWaitSeconds(reservationTtlSeconds: number): number {
  return reservationTtlSeconds + TASK_SECONDS;
}

/** Numbers that the definition names and its table only refers to. */
export const SAGA_CONSTANTS = {
  /** Longest delay between two retries of one step, in seconds. */
  RETRY_MAX_DELAY_SECONDS: 60,
  /** Longest delay before a saga that waits for Inventory tries again, in seconds. */
  INVENTORY_PAUSE_SECONDS: 5,
} as const;
