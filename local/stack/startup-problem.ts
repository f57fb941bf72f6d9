/**
 * Something about this machine or its settings keeps the stack from starting. The message is
 * written for the person at the terminal: what is wrong and what to do about it.
 */
export abstract class StartupProblem extends Error {
  abstract override readonly name: string;
}
