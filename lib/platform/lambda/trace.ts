import { AsyncLocalStorage } from 'node:async_hooks';

/** W3C Trace Context: version, trace id, parent id, flags; an id of zeros only is not valid. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

const incoming = new AsyncLocalStorage<string>();

/** Runs one request. Its outgoing calls carry its `traceparent` if that is well-formed. */
export function withTraceparent<Result>(
  traceparent: string | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  return traceparent !== undefined && TRACEPARENT.test(traceparent)
    ? incoming.run(traceparent, run)
    : run();
}

/**
 * Headers that link an outgoing call to the trace of this invocation; none outside a trace.
 * @param xrayHeader the invocation's own trace header: `Root=1-…;Parent=…;Sampled=1`.
 */
export function traceHeaders(xrayHeader: string | undefined): Readonly<Record<string, string>> {
  const traceparent = incoming.getStore() ?? traceparentOf(xrayHeader ?? '');
  return {
    ...(xrayHeader === undefined || xrayHeader === '' ? {} : { 'x-amzn-trace-id': xrayHeader }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** Converts X-Ray's header to W3C's form, which joins the two halves of X-Ray's root. */
function traceparentOf(xrayHeader: string): string | undefined {
  const fields = new Map(
    xrayHeader
      .split(';')
      .map((field) => field.trim().split('=', 2) as [string, string | undefined]),
  );
  const [, epoch, unique] = /^1-([\da-f]{8})-([\da-f]{24})$/i.exec(fields.get('Root') ?? '') ?? [];
  if (epoch === undefined || unique === undefined) return undefined;
  const flags = fields.get('Sampled') === '1' ? '01' : '00';
  const traceparent = `00-${epoch}${unique}-${fields.get('Parent') ?? ''}-${flags}`.toLowerCase();
  return TRACEPARENT.test(traceparent) ? traceparent : undefined;
}
