import { chooseStore } from '../../local/stack/store.ts';

/** Reason to skip a test that needs DynamoDB Local. */
export const WITHOUT_JAVA = 'there is no Java 17 or newer to run DynamoDB Local with';

/** The command of a Java that can run DynamoDB Local; undefined if there is none. */
export async function findJava(): Promise<string | undefined> {
  const store = await chooseStore('auto', false, process.env);
  return store.kind === 'memory' ? undefined : store.java;
}
