import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { MutantNotApplied, mutantNamed, mutate } from './mutants.ts';

/**
 * Preloaded with `node --import ./torture/mutation.ts`: switches off the guarantee named by `MUTANT`
 * for all that this process loads. Where that cannot be done, or where the process ends without
 * having loaded the file, the exit code is 70, so that it is never taken for a violation found (1).
 */
const NOT_APPLIED = 70;

function refuse(message: string): void {
  process.stderr.write(`MUTANT: ${message}\n`);
  process.exitCode = NOT_APPLIED;
}

function install(name: string): void {
  const mutant = mutantNamed(name);
  const url = new URL(`../${mutant.file}`, import.meta.url);
  // Found out before anything runs, not in the middle of an import that somebody may catch.
  const source = mutate(mutant, readFileSync(url, 'utf8'));
  let isLoaded = false;
  registerHooks({
    load: (loaded, context, nextLoad) => {
      if (loaded.split('?')[0] !== url.href) return nextLoad(loaded, context);
      isLoaded = true;
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
  process.on('exit', () => {
    if (!isLoaded) refuse(`${name} changes ${mutant.file}, which was never loaded.`);
  });
}

try {
  install(process.env['MUTANT'] ?? '');
} catch (error) {
  if (!(error instanceof MutantNotApplied)) throw error;
  refuse(error.message);
  process.exit();
}
