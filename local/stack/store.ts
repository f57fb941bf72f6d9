import { assertNever } from '../../lib/platform/errors.ts';
import { checkJava, JavaProblem, javaCommand } from './java.ts';
import { StartupProblem } from './startup-problem.ts';

export const STORE_CHOICES = ['auto', 'memory', 'dynamodb-local'] as const;

/** Choice of the store: `auto` is DynamoDB Local if there is Java, else memory. */
export type StoreChoice = (typeof STORE_CHOICES)[number];

/** The store that holds a stack's tables. */
export type Store =
  | {
      readonly kind: 'memory';
      /** The reason why DynamoDB Local cannot run; undefined if memory was chosen. */
      readonly problem?: JavaProblem;
    }
  | {
      readonly kind: 'dynamodb-local';
      /** The command that runs Java. */
      readonly java: string;
    };

class StoreProblem extends StartupProblem {
  override readonly name = 'StoreProblem';
}

/**
 * Finds the store for a choice on this machine.
 * @param isKept true if the data is kept for the next start.
 * @throws StartupProblem if DynamoDB Local is needed and this machine has no Java for it, or if a store in memory
 * is to keep data.
 */
export async function chooseStore(
  choice: StoreChoice,
  isKept: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Store> {
  if (choice === 'memory') {
    if (!isKept) return { kind: 'memory' };
    throw new StoreProblem(
      'Tables in memory are gone with the process: --data DIR cannot keep them. Leave out --data, or STORE=memory.',
    );
  }
  const java = javaCommand(environment);
  try {
    await checkJava(java);
    return { kind: 'dynamodb-local', java };
  } catch (problem) {
    if (!(problem instanceof JavaProblem) || choice === 'dynamodb-local') throw problem;
    if (!isKept) return { kind: 'memory', problem };
    throw new StoreProblem(
      `Tables in memory are gone with the process: --data DIR needs DynamoDB Local. ${problem.message}`,
      { cause: problem },
    );
  }
}

/** Describes the chosen store and its consequences in one line for the person at the terminal. */
export function describeStore(store: Store): string {
  switch (store.kind) {
    case 'memory': {
      const why = store.problem === undefined ? '' : ` (${store.problem.finding})`;
      return `Tables are in memory${why}: gone when this ends. To keep them, --data DIR needs Java 17 or newer.`;
    }
    case 'dynamodb-local':
      return "Tables are in Amazon's DynamoDB Local, which accepts connections from the network; STORE=memory does not.";
    default:
      return assertNever(store);
  }
}
