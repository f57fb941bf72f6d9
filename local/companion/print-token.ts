import { parseArgs } from 'node:util';
import { z } from 'zod';
import { findCompanionUrl, SeveralStacksError } from '../stack/running-stacks.ts';

const USAGE = 'Usage: npm run -s token -- <user> [--scope "products:write"]';
const ANSWER_TIMEOUT_MS = 10_000;

const tokenAnswer = z.object({ token: z.string() });
const problemAnswer = z.object({ detail: z.string() });

/** Thrown if no token can be made. The message is for the person at the terminal. */
class TokenCommandError extends Error {
  override readonly name = 'TokenCommandError';
}

function readArguments(): { subject: string; scope?: string } {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { scope: { type: 'string' } },
    });
    const [subject] = positionals;
    if (subject === undefined || positionals.length > 1) {
      throw new Error('Name one user to print a token for.');
    }
    return values.scope === undefined ? { subject } : { subject, scope: values.scope };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TokenCommandError(`${message}\n${USAGE}`, { cause });
  }
}

function readCompanionUrl(): string {
  const url = meantCompanion();
  if (URL.canParse(url)) return url;
  throw new TokenCommandError(`COMPANION_URL is not a URL: ${url}`);
}

function meantCompanion(): string {
  try {
    return findCompanionUrl(process.env);
  } catch (error) {
    if (!(error instanceof SeveralStacksError)) throw error;
    throw new TokenCommandError(error.message, { cause: error });
  }
}

async function requestToken(
  companionUrl: string,
  request: { subject: string; scope?: string },
): Promise<string> {
  let response: Response;
  try {
    response = await fetch(new URL('/issuer/token', companionUrl), {
      method: 'POST',
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
  } catch (cause) {
    throw new TokenCommandError(
      `No companion answers at ${companionUrl}. Start the stack with: npm start`,
      { cause },
    );
  }
  const answer: unknown = await response.json().catch(() => undefined);
  const granted = tokenAnswer.safeParse(answer);
  if (response.ok && granted.success) return granted.data.token;
  const refused = problemAnswer.safeParse(answer);
  throw new TokenCommandError(
    refused.success
      ? `The companion refused: ${refused.data.detail}`
      : `What answers at ${companionUrl} is not the companion. Set COMPANION_URL to where it is.`,
  );
}

try {
  const request = readArguments();
  console.log(await requestToken(readCompanionUrl(), request));
} catch (error) {
  if (!(error instanceof TokenCommandError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
