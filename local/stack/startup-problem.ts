/**
 * Thrown if this machine or its settings keep the stack from starting. The message tells the person at the
 * terminal the problem and the remedy.
 */
export abstract class StartupProblem extends Error {
  abstract override readonly name: string;
}
