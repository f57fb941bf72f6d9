/** The Lambda functions of these tests: plain CommonJS, the same text for every target. */
export const lambdaFunctions = {
  echo: `exports.handler = async (event) => event;`,

  nothing: `exports.handler = async () => {};`,

  fail: `exports.handler = async ({ error, message }) => {
    throw Object.assign(new Error(message), { name: error });
  };`,

  // Fails the first calls with a key, then returns the number of calls.
  flaky: `const calls = new Map();
  exports.handler = async ({ key, failures, error }) => {
    const call = (calls.get(key) ?? 0) + 1;
    calls.set(key, call);
    if (call <= failures) throw Object.assign(new Error('call ' + call), { name: error });
    return { calls: call };
  };`,

  slow: `exports.handler = ({ milliseconds }) =>
    new Promise((resolve) => setTimeout(() => resolve('slow'), milliseconds));`,
  // Stores the tokens it receives, by execution. Without a token, it returns them all, or forgets them. Uses
  // files, because two calls may reach two instances that share nothing else.
  keepToken: `const { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } =
    process.getBuiltinModule('node:fs');
  exports.handler = async ({ store, execution, token, milliseconds, error }) => {
    const directory = process.getBuiltinModule('node:os').tmpdir() + '/' + store;
    if (execution === undefined) return rmSync(directory, { recursive: true, force: true });
    const file = directory + '/' + execution.split(':').at(-1);
    if (token === undefined) {
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : [];
    }
    mkdirSync(directory, { recursive: true });
    appendFileSync(file, token + ' ');
    if (milliseconds !== undefined) await new Promise((resolve) => setTimeout(resolve, milliseconds));
    if (error !== undefined) throw Object.assign(new Error('no'), { name: error });
  };`,
} as const satisfies Record<string, string>;

export type FunctionName = keyof typeof lambdaFunctions;
