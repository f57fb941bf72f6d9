import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consultDoctor } from '../support/doctor.ts';
import { Customer, chargesOf, newProduct, stockLine } from '../support/shop.ts';
import { eventually, startEmbeddedTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

let stack: TestStack;
let alice: Customer;

beforeAll(async () => {
  stack = await startEmbeddedTestStack({ store: 'memory' });
  alice = await Customer.of(stack);
});

afterAll(() => stack.stop());

function urlsOf({ apiUrl, companionUrl, endpoints }: TestStack): string[] {
  return [apiUrl, companionUrl, ...Object.values(endpoints)];
}

/** Further addresses of a server that listens on all of them; Linux has many. */
function otherAddresses(): string[] {
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  return process.platform === 'linux' ? ['127.0.0.2', ...others] : others;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (isAnswered: boolean) => () => {
      socket.destroy();
      resolve(isAnswered);
    };
    socket.once('connect', settle(true));
    socket.once('error', settle(false));
    socket.setTimeout(1000, settle(false));
  });
}

const answeringAt = async (port: number) => {
  const addresses = otherAddresses();
  const found = await Promise.all(addresses.map((address) => answers(address, port)));
  return addresses.filter((_address, index) => found[index] === true);
};

test('no server of the stack closes an idle connection, just as a request may come', async () => {
  for (const url of [stack.apiUrl, stack.companionUrl, stack.endpoints.stepFunctions]) {
    const response = await fetch(`${url}/health`);
    // Node would announce its idle time-out in this header.
    expect(response.headers.get('keep-alive'), url).toBeNull();
  }
});

describe('a stack with its tables in memory', () => {
  test('takes an order to its payment, and one that is declined back', async () => {
    const productId = await newProduct(10);
    const placed = await alice.place([{ productId, quantity: 2 }], { wait: 10 });
    expect(placed.status).toBe(201);
    const { orderId } = placed.order;
    expect((await alice.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
    expect(await alice.order(orderId)).toMatchObject({ status: 'PAYMENT_DONE' });
    expect(await chargesOf(stack, orderId)).toHaveLength(1);

    const declined = await alice.reserved(productId, 3);
    await alice.pay(declined.orderId, 'tok_declined', { wait: 10 });
    await eventually(() => alice.expectStatus(declined.orderId, 'PAYMENT_FAILED'));
    expect(await stockLine(stack, productId)).toBe('8/0/2');
  });

  test('sells to no two at once what it has once', async () => {
    const productId = await newProduct(3);
    const shoppers = await Promise.all(Array.from({ length: 8 }, () => Customer.of(stack)));
    const placed = await Promise.all(
      shoppers.map((shopper) => shopper.place([{ productId, quantity: 1 }], { wait: 10 })),
    );
    const reserved = placed.filter(({ summary }) => summary === '201 PENDING_PAYMENT');
    expect(reserved).toHaveLength(3);
    expect(await stockLine(stack, productId)).toBe('0/3/0');
  });

  test('leaves the doctor content', async () => {
    const { verdicts, summary } = await consultDoctor(stack);
    expect(verdicts).toEqual([]);
    expect(summary.read.orders).toBeGreaterThan(1);
  });

  test('listens on loopback only, with every part', async () => {
    const open = createServer().listen(0, '0.0.0.0');
    await once(open, 'listening');
    const { port } = open.address() as AddressInfo;
    expect(await answeringAt(port)).toEqual(otherAddresses());
    open.close();

    for (const url of urlsOf(stack)) {
      expect(await answers('127.0.0.1', Number(new URL(url).port))).toBe(true);
      expect([url, await answeringAt(Number(new URL(url).port))]).toEqual([url, []]);
    }
  });
});

test('a stack with its tables in memory leaves nothing listening, and nothing stored', async () => {
  const urls = urlsOf(stack);
  await stack.stop();
  for (const url of urls) {
    expect([url, await answers('127.0.0.1', Number(new URL(url).port))]).toEqual([url, false]);
  }
  stack = await startEmbeddedTestStack({ store: 'memory' });
  const { summary } = await consultDoctor(stack);
  expect(summary.read).toMatchObject({ orders: 0, payments: 0 });
});
