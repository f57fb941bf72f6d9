import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { changesOf, MutantNotApplied, mutate } from './mutant.ts';
import { mutantNamed } from './mutants.ts';

/**
 * Preloaded with `node --import ./torture/mutation.ts`: switches off the guarantee named by `MUTANT` in all
 * code that this process loads. If it cannot be applied, or the process never loads the file, the exit code
 * is 70. So nobody takes it for a violation (1).
 */
const NOT_APPLIED = 70;

function refuse(message: string): void {
  process.stderr.write(`MUTANT: ${message}\n`);
  process.exitCode = NOT_APPLIED;
}

function install(name: string): void {
  // Fails here, before any import that the caller may catch.
  const sources = new Map<string, string>();
  for (const change of changesOf(mutantNamed(name))) {
    const url = new URL(`../${change.file}`, import.meta.url);
    // One file may have several changes.
    sources.set(url.href, mutate(change, sources.get(url.href) ?? readFileSync(url, 'utf8')));
  }
  const untouched = new Set(sources.keys());
  registerHooks({
    load: (loaded, context, nextLoad) => {
      const href = loaded.split('?')[0] ?? '';
      const source = sources.get(href);
      if (source === undefined) return nextLoad(loaded, context);
      untouched.delete(href);
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
  process.on('exit', () => {
    for (const href of untouched) refuse(`${name} changes ${href}, which was never loaded.`);
  });
}

try {
  install(process.env['MUTANT'] ?? '');
} catch (error) {
  if (!(error instanceof MutantNotApplied)) throw error;
  refuse(error.message);
  process.exit();
}
