import { chooseStore } from '../../local/stack/store.ts';

/** Why a test that needs DynamoDB Local is skipped. */
export const WITHOUT_JAVA = 'there is no Java 17 or newer to run DynamoDB Local with';

/** The command that runs a Java that DynamoDB Local takes; undefined where there is none. */
export async function findJava(): Promise<string | undefined> {
  const store = await chooseStore('auto', false, process.env);
  return store.kind === 'memory' ? undefined : store.java;
}
