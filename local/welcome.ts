import { lookup } from 'node:dns/promises';
import type { EmbeddedStack } from './stack/embedded-stack.ts';

/**
 * The screen of a stack that is up: where things are, and a first order to copy and paste. The
 * commands need nothing but a shell, curl and sed.
 */
export async function welcome(stack: EmbeddedStack, logFile: string): Promise<string> {
  const [api, companion] = await Promise.all([
    readable(stack.apiUrl),
    readable(stack.companionUrl),
  ]);
  const token = await stack.mintToken('alice');
  return `
  API             ${api}    ${api}/docs
  Companion       ${companion}    what was really charged: ${companion}/gateway/charges?orderId=…
                  make Inventory fail: curl -X PUT ${companion}/faults/inventory -d '{"mode":"http_503","times":3}'
  SQS             ${stack.endpoints.queues}
  Step Functions  ${stack.endpoints.stepFunctions}
  DynamoDB        ${stack.endpoints.dynamodb}
  Log             ${logFile}

A first order. Copy, paste, and it is alice's; npm run -s token -- bob prints another's token.

  TOKEN=${token}

  # What is for sale
  curl -s ${api}/product -H "Authorization: Bearer $TOKEN"; echo

  # Order two; waits until they are reserved
  ORDER=$(curl -s ${api}/order -H "Authorization: Bearer $TOKEN" -H 'Prefer: wait=10' \\
    -H 'Content-Type: application/json' -d '{"items":[{"productId":"prod-coffee","quantity":2}]}' \\
    | tee /dev/stderr | sed -n 's/.*"orderId":"\\([^"]*\\)".*/\\1/p'); echo

  # Pay; waits until it is settled
  curl -s ${api}/payment -H "Authorization: Bearer $TOKEN" -H 'Prefer: wait=10' \\
    -H 'Content-Type: application/json' \\
    -d '{"orderId":"'$ORDER'","paymentMethod":{"token":"tok_ok"}}'; echo

  # Look at it, with its history
  curl -s ${api}/order/$ORDER -H "Authorization: Bearer $TOKEN"; echo

Ctrl-C stops everything.`;
}

/** `localhost` in the place of 127.0.0.1, on a machine where it means that. */
async function readable(url: string): Promise<string> {
  const addresses = await lookup('localhost', { all: true }).catch(() => []);
  const isLoopback = addresses.some(({ address }) => address === '127.0.0.1');
  return isLoopback ? url.replace('//127.0.0.1', '//localhost') : url;
}
