import { serveTasks } from './pool.ts';
import { perform } from './tasks.ts';

process.env['POWERTOOLS_LOG_LEVEL'] ??= 'SILENT';
serveTasks(perform);
