import type { ServiceDefinition } from '../local/stack/service-definition.ts';
import { hunt } from './hunt.ts';
import { mutantNamed } from './mutants.ts';
import { formatStrikes } from './strikes.ts';
import { useService } from './world/world.ts';

/** What the process that tries one mutant is told. */
export interface TrialOrder {
  readonly mutant: string;
  readonly seed: number;
  /** Read once by whoever orders the trials: reading takes longer than most of them. */
  readonly service: ServiceDefinition;
}

/** What it says in the end; nothing where it breaks down. */
export interface TrialReport {
  /** How many runs there were until the first violation, or altogether. */
  readonly runs: number;
  /** Undefined where every promise held. */
  readonly caughtBy?: {
    readonly scenario: string;
    /** As `parseStrikes` reads them; empty where nothing struck. */
    readonly strikes: string;
    readonly violation: string;
  };
}

// Forked by try-mutants.ts, with mutation.ts preloaded.
process.once('message', (order: TrialOrder) => {
  void obey(order);
});

async function obey({ mutant, seed, service }: TrialOrder): Promise<void> {
  useService(service);
  const { run, runs } = await hunt(mutantNamed(mutant).caughtBy, seed);
  const report: TrialReport = {
    runs,
    ...(run === undefined
      ? {}
      : {
          caughtBy: {
            scenario: run.scenario,
            strikes: formatStrikes(run.strikes),
            violation: run.violations[0] ?? '',
          },
        }),
  };
  process.send?.(report, () => {
    process.exit();
  });
}
