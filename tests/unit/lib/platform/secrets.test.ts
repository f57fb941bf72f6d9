import { type GetParameterCommand, ParameterNotFound } from '@aws-sdk/client-ssm';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Config, readConfig } from '../../../../lib/platform/config.ts';
import { InfrastructureUnavailable } from '../../../../lib/platform/errors.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { secretReader } from '../../../../lib/platform/secrets.ts';
import { REQUIRED } from './environment.ts';

const PARAMETER = '/ordersaga/test/webhook-secrets';
const OLD = 'whsec_old_0123456789';
const NEW = 'whsec_new_0123456789';

let nowMs: number;
/** The value in SSM; an Error makes SSM fail with it. */
let stored: string | Error;
let asked: object[];

beforeEach(() => {
  nowMs = 1_000_000;
  stored = OLD;
  asked = [];
});

function reader(config: Config) {
  const parameters = {
    send: (command: GetParameterCommand) => {
      asked.push(command.input);
      return stored instanceof Error
        ? Promise.reject(stored)
        : Promise.resolve({ Parameter: { Value: stored } });
    },
  };
  const clock = { now: () => nowMs, schedule: () => () => undefined };
  const runtime = { config, clock, aws: { clients: { parameters } } } as unknown as Runtime;
  return secretReader(runtime, 'WEBHOOK_SECRETS');
}

const deployed = () =>
  reader(
    readConfig({ ...REQUIRED, WEBHOOK_SECRETS: undefined, WEBHOOK_SECRETS_PARAMETER: PARAMETER }),
  );

const notFound = () => new ParameterNotFound({ message: '', $metadata: {} });

describe('a secret that is configured itself', () => {
  test('is never asked for', async () => {
    const WEBHOOK_SECRETS_PARAMETER = PARAMETER;
    const read = reader(readConfig({ ...REQUIRED, WEBHOOK_SECRETS_PARAMETER }));
    expect(await read()).toEqual([REQUIRED.WEBHOOK_SECRETS]);
    expect(asked).toEqual([]);
  });
});

describe('a secret in Parameter Store', () => {
  test('is not read before it is needed', () => {
    deployed();
    expect(asked).toEqual([]);
  });

  test('is read decrypted, by its name', async () => {
    expect(await deployed()()).toEqual([OLD]);
    expect(asked).toEqual([{ Name: PARAMETER, WithDecryption: true }]);
  });

  test('is read once by those who need it at the same moment', async () => {
    const read = deployed();
    expect(await Promise.all([read(), read(), read()])).toEqual([[OLD], [OLD], [OLD]]);
    expect(asked).toHaveLength(1);
  });

  test('may be several, the one to use first', async () => {
    stored = `${NEW}, ${OLD}`;
    expect(await deployed()()).toEqual([NEW, OLD]);
  });

  test('is read again a minute after it was asked for, not before', async () => {
    const read = deployed();
    await read();
    stored = `${OLD},${NEW}`;
    nowMs += 59_999;
    expect(await read()).toEqual([OLD]);
    nowMs += 1;
    expect(await read()).toEqual([OLD, NEW]);
    expect(asked).toHaveLength(2);
  });

  test.each([
    ['SSM does not answer', new Error('socket hang up')],
    ['it was deleted', notFound()],
    ['what it was changed to is no secret', 'short'],
    ['it was emptied', ''],
  ])('stands as it was last read while %s, and is asked for every 5 seconds', async (_why, now) => {
    const read = deployed();
    await read();
    stored = now;
    nowMs += 60_000;
    expect(await read()).toEqual([OLD]);
    nowMs += 4999;
    expect(await read()).toEqual([OLD]);
    expect(asked).toHaveLength(2);
    stored = NEW;
    nowMs += 1;
    expect(await read()).toEqual([NEW]);
  });
});

describe('a secret that was never read', () => {
  async function failure(read: () => Promise<unknown>): Promise<InfrastructureUnavailable> {
    const error: unknown = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InfrastructureUnavailable);
    return error as InfrastructureUnavailable;
  }

  test.each([
    ['is not there', notFound(), 'ParameterNotFound'],
    ['may not be read', Object.assign(new Error('no'), { name: 'AccessDeniedException' }), 'Acc'],
    ['is too short', 'tooshort-7f3a', 'each secret must have at least 16 characters'],
  ])('and %s is an outage whose cause names the parameter', async (_why, answer, words) => {
    stored = answer;
    const error = await failure(deployed());
    expect(error.retryAfterSeconds).toBe(5);
    const { message } = error.cause as Error;
    expect(message).toContain(PARAMETER);
    expect(message).toContain('WEBHOOK_SECRETS_PARAMETER');
    expect(message).toContain('aws ssm put-parameter');
    expect(message).toContain(words);
    expect(message).not.toContain('7f3a');
    // Callers of the API get a shorter message.
    expect(error.message).not.toContain(PARAMETER);
  });

  test('is asked for again by the next call', async () => {
    stored = notFound();
    const read = deployed();
    await failure(read);
    stored = NEW;
    expect(await read()).toEqual([NEW]);
  });
});
