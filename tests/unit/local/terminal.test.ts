import { describe, expect, it } from 'vitest';
import { diskFailure } from '../../../local/terminal.ts';
import { runNode } from '../companion/run-node.ts';

const TERMINAL = new URL('../../../local/terminal.ts', import.meta.url).href;

/** A process that runs until it is stopped, and then reports it. */
function staying(code: string) {
  const program = `
    import { untilStopped } from '${TERMINAL}';
    ${code}
    await untilStopped(async () => ({ stop: async () => console.log('stopped'), broken }));
  `;
  return runNode(['--input-type=module', '--eval', program]);
}

const NEVER = 'const broken = new Promise(() => undefined); setInterval(() => undefined, 1000);';

describe('untilStopped', () => {
  it('stops what cannot go on, says why in one sentence, and ends with 1', async () => {
    const finished = await staying("const broken = Promise.resolve('The tables are gone.');");
    expect(finished).toEqual({
      exitCode: 1,
      stdout: 'stopped\n',
      stderr: '\nThe tables are gone.\n',
    });
  });

  it.each(['ENOSPC: no space left on device, write', 'EIO: i/o error, fsync'])(
    'says in one sentence that the disk failed, wherever that came up: %s',
    async (message) => {
      const finished = await staying(`${NEVER}
        setTimeout(() => { throw new Error('${message}'); }, 50);`);
      expect(finished).toMatchObject({ exitCode: 1, stdout: 'stopped\n' });
      expect(finished.stderr).toBe(`\n${diskFailure(new Error(message)) ?? ''}\n`);
      expect(finished.stderr).toContain('The disk cannot be written');
    },
  );

  it('shows the trace of a defect, and ends with 1', async () => {
    const finished = await staying(`${NEVER}
      setTimeout(() => { throw new Error('a defect'); }, 50);`);
    expect(finished).toMatchObject({ exitCode: 1 });
    expect(finished.stderr).toContain('Error: a defect\n    at ');
  });
});

describe('diskFailure', () => {
  it.each(['EADDRINUSE: address already in use', 'ENOENT: no such file', 'a defect'])(
    'is none of the disk: %s',
    (message) => {
      expect(diskFailure(new Error(message))).toBeUndefined();
    },
  );
});
