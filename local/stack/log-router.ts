import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Enough to look back on a whole test; a long-running stack keeps the rest in its file. */
const REMEMBERED_LINES = 2000;

export interface LogRouter {
  /** Adds a line as if a handler had logged it. */
  append(line: string): void;
  /** The latest lines, oldest first. */
  lines(): readonly string[];
  stop(): Promise<void>;
}

/**
 * Takes the handlers' structured log lines and metrics (lines of JSON) off the
 * terminal's two streams, remembers the latest and writes all of them to `file` if there is one.
 * Words for people pass untouched. The file is emptied first.
 */
export function routeLogs(file?: string): LogRouter {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  const stream = file === undefined ? undefined : createWriteStream(file, { flags: 'w' });
  let remembered: string[] = [];

  const append = (line: string) => {
    remembered.push(line);
    if (remembered.length > 2 * REMEMBERED_LINES) remembered = remembered.slice(-REMEMBERED_LINES);
    stream?.write(`${line}\n`);
  };
  const restore = [process.stdout, process.stderr].map((output) => divert(output, append));

  return {
    append,
    lines: () => remembered.slice(-REMEMBERED_LINES),
    stop: async () => {
      for (const putBack of restore) putBack();
      if (stream === undefined) return;
      await new Promise<void>((resolve) => {
        stream.end(resolve);
      });
    },
  };
}

function divert(output: NodeJS.WriteStream, append: (line: string) => void): () => void {
  const write = output.write.bind(output);
  const pass = write as (...args: readonly unknown[]) => boolean;
  output.write = (...args: unknown[]) => {
    const text = textOf(args[0]);
    if (!text.startsWith('{"')) return pass(...args);
    for (const line of text.trimEnd().split('\n')) append(line);
    const callback = args.find((arg) => typeof arg === 'function');
    callback?.();
    return true;
  };
  return () => {
    output.write = write;
  };
}

function textOf(chunk: unknown): string {
  if (typeof chunk === 'string') return chunk;
  return chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : '';
}
