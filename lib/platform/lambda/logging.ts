import { Logger } from '@aws-lambda-powertools/logger';

/** Facts in every line of one request or task. */
export interface LogContext {
  readonly correlationId?: string | undefined;
  readonly [key: string]: string | number | undefined;
}

type Level = 'info' | 'warn' | 'error';
type WriteLine = (message: string, facts?: Readonly<Record<string, unknown>>) => void;

let root: Logger | undefined;

/**
 * Makes a logger for one invocation, so that concurrent invocations in one process never mix their
 * keys. Structured JSON, level by POWERTOOLS_LOG_LEVEL. A child of the library's logger would do the same, but it
 * reads its whole configuration anew.
 */
export function loggerFor(context: LogContext): Readonly<Record<Level, WriteLine>> {
  const logger = (root ??= new Logger({ serviceName: 'ordersaga' }));
  const writer =
    (level: Level): WriteLine =>
    (message, facts) => {
      logger[level](message, { ...context, ...facts });
    };
  return { info: writer('info'), warn: writer('warn'), error: writer('error') };
}
