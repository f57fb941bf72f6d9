/** The process's environment variables, read nowhere else. What depends on all of them is parsed by config.ts. */
export const environment: Readonly<Record<string, string | undefined>> = process.env;
