import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header that carries a webhook's signatures: `t=<unix seconds>,v1=<hex>[,v1=<hex>]`. */
export const SIGNATURE_HEADER = 'X-Gateway-Signature';

/** Largest difference between the sender's clock and ours; it also limits the reuse of a copied request. */
const TOLERANCE_MS = 5 * 60 * 1000;

/** Header value for a body that is sent now, with one `v1` for each secret. */
export function signatureOf(
  rawBody: string | Uint8Array,
  secrets: readonly string[],
  nowMs: number,
): string {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signatures = secrets.map(
    (secret) => `v1=${digestOf(secret, timestamp, rawBody).toString('hex')}`,
  );
  return [`t=${timestamp}`, ...signatures].join(',');
}

/**
 * True if any of the secrets signed exactly these bytes within the tolerance. Several secrets and
 * signatures let a secret be replaced: first it is accepted here beside the old one, then the sender uses it.
 */
export function isSigned(
  rawBody: string | Uint8Array,
  header: string | undefined,
  secrets: readonly string[],
  nowMs: number,
): boolean {
  const { timestamp, signatures } = parse(header ?? '');
  if (timestamp === undefined) return false;
  if (Math.abs(nowMs - Number(timestamp) * 1000) > TOLERANCE_MS) return false;
  return secrets
    .map((secret) => digestOf(secret, timestamp, rawBody))
    .some((expected) => signatures.some((given) => timingSafeEqual(given, expected)));
}

function digestOf(secret: string, timestamp: string, rawBody: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(rawBody).digest();
}

/** Ignores signatures of other schemes, and values that are not a SHA-256 in hex. */
function parse(header: string): { timestamp: string | undefined; signatures: readonly Buffer[] } {
  const values = (name: string, pattern: RegExp): string[] =>
    header
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part.startsWith(`${name}=`))
      .map((part) => part.slice(name.length + 1))
      .filter((value) => pattern.test(value));
  const timestamps = values('t', /^\d{1,12}$/);
  return {
    // Two timestamps would be ambiguous.
    timestamp: timestamps.length === 1 ? timestamps[0] : undefined,
    signatures: values('v1', /^[\da-f]{64}$/i).map((hex) => Buffer.from(hex, 'hex')),
  };
}
