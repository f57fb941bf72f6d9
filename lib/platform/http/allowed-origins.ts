import { installedRuntime } from '../lambda/installed-runtime.ts';

/**
 * Origins whose pages may call the API. Functions without configuration, such as liveness, read the
 * variable itself: parsing all settings would be most of their start. Packaging has checked it.
 */
export function allowedOrigins(): readonly string[] {
  return originsIn(installedRuntime()?.config.ALLOWED_ORIGINS ?? process.env['ALLOWED_ORIGINS']);
}

/** Origins of a comma-separated list; none of an empty one. */
function originsIn(list = ''): readonly string[] {
  return list === '' ? [] : list.split(',').map((origin) => origin.trim());
}
