import { fileURLToPath } from 'node:url';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Companion } from '../../../local/companion/server.ts';
import type { Finished } from './run-node.ts';
import { runNode } from './run-node.ts';
import { startTestCompanion } from './support.ts';

const SCRIPT = fileURLToPath(new URL('../../../local/companion/print-token.ts', import.meta.url));

let companion: Companion;

beforeAll(async () => {
  companion = await startTestCompanion();
});

afterAll(() => companion.stop());

function printToken(args: readonly string[], companionUrl = companion.url): Promise<Finished> {
  return runNode([SCRIPT, ...args], { COMPANION_URL: companionUrl });
}

describe('printing a token', () => {
  it('prints the token of the user and nothing else', async () => {
    const { exitCode, stdout, stderr } = await printToken(['alice']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = decodeJwt(stdout.trim());
    expect(claims.sub).toBe('alice');
    expect(claims).not.toHaveProperty('scope');
  });

  it('asks for the scope it is given', async () => {
    const { stdout } = await printToken(['alice', '--scope', 'products:write']);
    expect(decodeJwt(stdout.trim())).toMatchObject({ sub: 'alice', scope: 'products:write' });
  });

  it.each([
    ['no user', []],
    ['two users', ['alice', 'bob']],
    ['an unknown option', ['alice', '--admin']],
    ['a scope without a value', ['alice', '--scope']],
  ])('explains its usage when called with %s', async (_case, args) => {
    const { exitCode, stdout, stderr } = await printToken(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('Usage: npm run -s token -- <user> [--scope');
    expect(stderr).not.toContain('    at ');
  });

  it('says how to start the stack when none runs', async () => {
    const gone = await startTestCompanion();
    await gone.stop();
    const { exitCode, stdout, stderr } = await printToken(['alice'], gone.url);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toBe(`No companion answers at ${gone.url}. Start the stack with: npm start\n`);
  });

  it('passes on why the companion refused', async () => {
    const { exitCode, stdout, stderr } = await printToken([' ']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toBe('The companion refused: subject: must not be blank\n');
  });

  it('names COMPANION_URL when it is not a URL', async () => {
    const { exitCode, stderr } = await printToken(['alice'], 'somewhere');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: 'COMPANION_URL is not a URL: somewhere\n',
    });
  });
});
