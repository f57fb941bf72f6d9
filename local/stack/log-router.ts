import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';

/** Enough for a whole test; a long-running stack keeps all lines in its file. */
const MAX_KEPT_LINES = 2000;
/** At this size the file is renamed as the previous one, and a new one begins. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface LogRouter {
  /** Adds a line as if a handler had logged it. */
  append(line: string): void;
  /** The latest lines, oldest first. */
  lines(): readonly string[];
  stop(): Promise<void>;
}

/**
 * Removes the handlers' structured log lines and metrics (lines of JSON) from the terminal's two streams. It
 * keeps the latest lines in memory, and appends all of them to `file` if there is one. Text for people passes
 * unchanged. If the file cannot be written, the router says so once on the terminal and drops the lines. The log
 * is worth no more than the work it reports.
 */
export function routeLogs(file?: string, maxFileBytes = MAX_FILE_BYTES): LogRouter {
  const logFile = file === undefined ? undefined : new LogFile(file, maxFileBytes);
  let remembered: string[] = [];

  const append = (line: string) => {
    remembered.push(line);
    if (remembered.length > 2 * MAX_KEPT_LINES) remembered = remembered.slice(-MAX_KEPT_LINES);
    logFile?.append(line);
  };
  const restore = [process.stdout, process.stderr].map((output) => divert(output, append));

  return {
    append,
    lines: () => remembered.slice(-MAX_KEPT_LINES),
    stop: () => {
      for (const putBack of restore) putBack();
      logFile?.close();
      return Promise.resolve();
    },
  };
}

/** Log file. Each line is written at once, so that none is lost if the process ends. */
class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #descriptor: number;
  #bytes: number;
  #isFailing = false;

  constructor(path: string, maxBytes: number) {
    mkdirSync(dirname(path), { recursive: true });
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#descriptor = openSync(path, 'a');
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  append(line: string): void {
    // A failed write may have left half a line.
    const text = `${this.#isFailing ? '\n' : ''}${line}\n`;
    try {
      if (this.#bytes > 0 && this.#bytes + text.length > this.#maxBytes) this.#beginAnother();
      appendFileSync(this.#descriptor, text);
      this.#bytes += Buffer.byteLength(text);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        console.error(
          `The log ${this.#path} cannot be written (${String(error)}): lines are left out until it can.`,
        );
      }
      this.#isFailing = true;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #beginAnother(): void {
    renameSync(this.#path, `${this.#path}.1`);
    const next = openSync(this.#path, 'a');
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#bytes = 0;
  }
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
