import type { ServiceDefinition } from '../local/stack/service-definition.ts';
import { hunt } from './hunt.ts';
import { mutantNamed } from './mutants.ts';
import { formatStrikes } from './strikes.ts';
import { useService } from './world/world.ts';

/** Message to the process that tries one mutant. */
export interface TrialOrder {
  readonly mutant: string;
  readonly seed: number;
  /** Built once by the parent, because building takes longer than most trials. */
  readonly service: ServiceDefinition;
}

/** Final message of that process; it sends none if it breaks down. */
export interface TrialReport {
  /** Number of runs up to the first violation, or in total. */
  readonly runs: number;
  /** Undefined if every promise held. */
  readonly caughtBy?: {
    readonly scenario: string;
    /** Strikes in the format of `parseStrikes`; empty if none struck. */
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
