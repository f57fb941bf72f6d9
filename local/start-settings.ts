import { parseArgs } from 'node:util';
import {
  problemWith,
  SETTINGS,
  type Setting,
  type ValueOf,
  valueOf,
} from '../lib/platform/settings.ts';
import { LOCAL_SETTINGS } from './local-settings.ts';
import type { StackPorts } from './stack/embedded-stack.ts';
import { StartupProblem } from './stack/startup-problem.ts';
import type { StoreChoice } from './stack/store.ts';

type Variables = Readonly<Record<string, string | undefined>>;

export class BadSettingError extends StartupProblem {
  override readonly name = 'BadSettingError';
}

export interface StartSettings {
  readonly host: string;
  readonly ports: StackPorts;
  /** Every setting of the service that is set, including secrets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly store: StoreChoice;
  readonly concurrency: number;
  /** Folder that keeps tables, queues and charges for the next start. */
  readonly dataDirectory?: string;
}

/**
 * Reads the settings of a local start: the service's settings that are set, and the start's own with their
 * defaults.
 * @throws BadSettingError that names the argument, or every bad variable with its range.
 */
export function readStartSettings(
  environment: Variables,
  commandLine: readonly string[] = [],
): StartSettings {
  const dataDirectory = readDataDirectory(commandLine);
  const problems = Object.entries({ ...SETTINGS, ...LOCAL_SETTINGS }).flatMap(([name, setting]) => {
    const text = environment[name];
    const isGood = text === undefined || valueOf<Setting>(setting, text) !== undefined;
    return isGood ? [] : [problemWith(name, setting, text)];
  });
  if (problems.length > 0) throw new BadSettingError(`Bad setting. ${problems.join('; ')}.`);
  return {
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
    host: localSetting('LISTEN_ADDRESS', environment),
    store: localSetting('STORE', environment),
    concurrency: localSetting('LAMBDA_CONCURRENCY', environment),
    ports: {
      api: localSetting('API_PORT', environment),
      companion: localSetting('COMPANION_PORT', environment),
      stepFunctions: localSetting('STEP_FUNCTIONS_PORT', environment),
      queues: localSetting('QUEUES_PORT', environment),
      dynamodb: localSetting('DYNAMODB_PORT', environment),
    },
    environment: Object.fromEntries(
      Object.keys(SETTINGS).flatMap((name) => {
        const text = environment[name];
        return text === undefined ? [] : [[name, text] as const];
      }),
    ),
  };
}

type LocalSettings = typeof LOCAL_SETTINGS;

/** The setting's value, or its default if it is not set. */
function localSetting<Name extends keyof LocalSettings>(
  name: Name,
  environment: Variables,
): ValueOf<LocalSettings[Name]> {
  const setting = LOCAL_SETTINGS[name];
  const text = environment[name] ?? String(setting.default);
  return valueOf(setting, text) as ValueOf<LocalSettings[Name]>;
}

function readDataDirectory(commandLine: readonly string[]): string | undefined {
  try {
    const { data } = parseArgs({
      args: [...commandLine],
      options: { data: { type: 'string' } },
    }).values;
    if (data === '') throw new Error("Option '--data <value>' argument missing");
    return data;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BadSettingError(
      `${why}.\nUsage: npm start -- [--data DIR]   (DIR keeps orders, stock, queues and charges for the next start)`,
      { cause },
    );
  }
}
