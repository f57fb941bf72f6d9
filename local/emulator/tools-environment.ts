import type { AwsEnvironment } from './aws-environment.ts';

/**
 * What the companion tells the operator's tools of a deployed stack: the environment of its functions, and
 * how to reach the emulator. No secret is in it: tools read those as functions do, from Parameter Store.
 * @param urls the same as the functions know, by the names that this machine has for them.
 */
export function toolsEnvironment(
  deployed: Readonly<Record<string, string>>,
  aws: AwsEnvironment,
  urls: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const set = Object.entries(aws).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...deployed, ...Object.fromEntries(set), ...urls };
}
