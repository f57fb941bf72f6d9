/**
 * True if the host belongs to AWS itself, where nothing may be done that is meant for an emulator.
 * infrastructure/only-to-emulators.cjs makes the same check for the serverless CLI.
 */
export function isAwsHost(hostname: string): boolean {
  return /(^|\.)(amazonaws\.com(\.cn)?|aws|aws\.dev|amazon\.com)\.?$/i.test(hostname);
}
