import { Logger } from '@aws-lambda-powertools/logger';

/** Facts in every line of one request or task. */
export interface LogContext {
  readonly correlationId?: string | undefined;
  readonly [key: string]: string | number | undefined;
}

let root: Logger | undefined;

/**
 * Makes a logger for one invocation, so that concurrent invocations in one process never mix their
 * keys. Structured JSON, level by POWERTOOLS_LOG_LEVEL.
 */
export function loggerFor(context: LogContext): Logger {
  root ??= new Logger({ serviceName: 'ordersaga' });
  const logger = root.createChild();
  logger.appendPersistentKeys(context);
  return logger;
}
