import { lookup } from 'node:dns/promises';

/** URLs of a running stack, as its user sees it. */
interface Host {
  readonly apiUrl: string;
  readonly companionUrl: string;
  mintToken(subject: string): Promise<string>;
}

interface Ending {
  /** Other URLs and files, by name. */
  readonly places: Readonly<Record<string, string>>;
  /** Instruction to stop the stack. */
  readonly ending: string;
}

/**
 * Welcome screen of a running stack: its URLs, and a first order to copy and paste. The commands need only a
 * shell, curl and sed.
 */
export async function welcome(stack: Host, { places, ending }: Ending): Promise<string> {
  const [api, companion] = await Promise.all([
    readable(stack.apiUrl),
    readable(stack.companionUrl),
  ]);
  const token = await stack.mintToken('alice');
  const others = Object.entries(places).map(([part, place]) => `  ${part.padEnd(14)}  ${place}`);
  return `
  API             ${api}    ${api}/docs
  Companion       ${companion}    the start page: everything that is here
                  make Inventory fail: curl -X PUT ${companion}/faults/inventory -d '{"mode":"http_503","times":3}'
${others.join('\n')}

A first order. Copy, paste, and it is alice's; npm run -s token -- bob prints another's token.

  TOKEN=${token}

  echo 'What is for sale:'
  curl -s ${api}/product -H "Authorization: Bearer $TOKEN"; echo

  echo 'Order two; it waits until they are reserved:'
  ORDER=$(curl -s ${api}/order -H "Authorization: Bearer $TOKEN" -H 'Prefer: wait=10' \\
    -H 'Content-Type: application/json' -d '{"items":[{"productId":"prod-coffee","quantity":2}]}' \\
    | tee /dev/stderr | sed -n 's/.*"orderId":"\\([^"]*\\)".*/\\1/p'); echo

  echo 'Pay; it waits until that is settled:'
  curl -s ${api}/payment -H "Authorization: Bearer $TOKEN" -H 'Prefer: wait=10' \\
    -H 'Content-Type: application/json' \\
    -d '{"orderId":"'$ORDER'","paymentMethod":{"token":"tok_ok"}}'; echo

  echo 'The order, with its history:'
  curl -s "${api}/order/$ORDER" -H "Authorization: Bearer $TOKEN"; echo

${ending}`;
}

/** Replaces 127.0.0.1 by `localhost` if that resolves to it on this machine. */
async function readable(url: string): Promise<string> {
  const addresses = await lookup('localhost', { all: true }).catch(() => []);
  const isLoopback = addresses.some(({ address }) => address === '127.0.0.1');
  return isLoopback ? url.replace('//127.0.0.1', '//localhost') : url;
}
