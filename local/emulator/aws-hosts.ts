/**
 * Whether the host is one of AWS itself. What is done to an emulator is never done to those.
 * infrastructure/only-to-emulators.cjs asks the same, for the serverless CLI.
 */
export function isAwsHost(hostname: string): boolean {
  return /(^|\.)(amazonaws\.com(\.cn)?|aws|aws\.dev|amazon\.com)\.?$/i.test(hostname);
}
