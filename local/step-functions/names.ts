import { StepFunctionsError } from './errors.ts';

const LONGEST_NAME = 80;
// Characters that AWS forbids in names: white space, brackets, wildcards, special and control characters.
const FORBIDDEN = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\uFFFE\uFFFF]/u;

/** @throws StepFunctionsError InvalidName */
export function checkName(name: string): void {
  if (name.length === 0 || name.length > LONGEST_NAME || FORBIDDEN.test(name)) {
    throw new StepFunctionsError('InvalidName', `Invalid Name: '${name}'`);
  }
}

/** @throws StepFunctionsError InvalidArn */
export function checkArn(kind: 'stateMachine' | 'execution', arn: string): void {
  const [prefix, partition, service, region, account, resource, ...names] = arn.split(':');
  const isComplete = [partition, region, account, ...names].every(Boolean) && names.length > 0;
  if (prefix !== 'arn' || service !== 'states' || resource !== kind || !isComplete) {
    throw new StepFunctionsError(
      'InvalidArn',
      `Invalid Arn: 'Resource type not valid in this context: ${arn}'`,
    );
  }
}

/** Builds the ARNs of one account and region. */
export class Arns {
  readonly #prefix: string;

  constructor(region: string, accountId: string) {
    this.#prefix = `arn:aws:states:${region}:${accountId}`;
  }

  stateMachine(name: string): string {
    return `${this.#prefix}:stateMachine:${name}`;
  }

  execution(stateMachineName: string, name: string): string {
    return `${this.#prefix}:execution:${stateMachineName}:${name}`;
  }
}
