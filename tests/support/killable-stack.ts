import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from './free-ports.ts';

const PORT_PAUSE_MS = 200;

/** `npm start -- --data DIR` in a process of its own, which a test kills and starts again. */
export class KillableStack {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  private constructor(directory: string, environment: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#environment = environment;
  }

  static async in(
    directory: string,
    configuration: Readonly<Record<string, string>>,
  ): Promise<KillableStack> {
    return new KillableStack(directory, { ...configuration, ...(await freePorts()) });
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.#environment['API_PORT'] ?? ''}`;
  }

  get companionUrl(): string {
    return `http://127.0.0.1:${this.#environment['COMPANION_PORT'] ?? ''}`;
  }

  /** Starts on the data of the stack before, as soon as its ports are free. */
  async start(): Promise<void> {
    for (;;) {
      const { isUp, screen } = await this.#try();
      if (isUp) return;
      // The JVM of a killed stack ends a moment later.
      if (!/ is taken|are taken|in use/.test(screen))
        throw new Error(`It does not start:\n${screen}`);
      await pause(PORT_PAUSE_MS);
    }
  }

  /** Kills the process, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async #try(): Promise<{ readonly isUp: boolean; readonly screen: string }> {
    const child = spawn(process.execPath, ['local/start.ts', '--data', this.#directory], {
      env: { ...process.env, ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    let screen = '';
    const isUp = await new Promise<boolean>((resolve) => {
      const read = (chunk: Buffer) => {
        screen += chunk.toString();
        if (screen.includes('Ctrl-C stops everything')) resolve(true);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => {
        resolve(false);
      });
    });
    return { isUp, screen };
  }
}
