// Plugin of the serverless CLI: `serverless offline` runs the stack of `npm start` in a process of its own. It
// accepts flags of the plugin serverless-offline, or names their replacement.
const { spawn } = require('node:child_process');
const { join } = require('node:path');

/** Oldest Node.js that runs the TypeScript of local/ without a build. */
const NODE_MAJOR = 24;

/** npm forwards a signal of the terminal, so the CLI gets it twice. A person takes longer to press Ctrl-C again. */
const SAME_SIGNAL_WITHIN_MS = 300;

/** Flags that set a variable (docs/configuration.md). */
const VARIABLES = {
  httpPort: { variable: 'API_PORT', usage: 'Port of the API. Default: 3000.' },
  host: {
    variable: 'LISTEN_ADDRESS',
    shortcut: 'o',
    usage: 'Address to listen on. Default: 127.0.0.1.',
  },
};

/** Flags that ask for the behaviour that the stack always has. */
const ALREADY_SO = {
  noPrependStageInUrl: 'Paths begin without the stage, as they always do here.',
  useInProcess: 'Functions run in one process, as they always do here.',
  disableCookieValidation: 'No cookie is looked at, as always.',
  noSponsor: 'Nothing is advertised, as always.',
};

const NO_CORS_FLAGS = 'CORS is as deployed: set ALLOWED_ORIGINS=https://shop.example.com.';
const NO_DOCKER = 'functions run without Docker; leave it out.';
const NO_WEBSOCKET = 'the API has no WebSocket; leave it out.';
const NO_TOKEN_FLAGS = 'tokens are checked as deployed; `npm run -s token -- alice` prints one.';

/** Refused flags, with advice. */
const REFUSED = {
  albPort: 'there is no load balancer; leave it out.',
  corsAllowHeaders: NO_CORS_FLAGS,
  corsAllowOrigin: NO_CORS_FLAGS,
  corsDisallowCredentials: NO_CORS_FLAGS,
  corsExposedHeaders: NO_CORS_FLAGS,
  dockerHost: NO_DOCKER,
  dockerHostServicePath: NO_DOCKER,
  dockerNetwork: NO_DOCKER,
  dockerReadOnly: NO_DOCKER,
  enforceSecureCookies: 'the API sets no cookies; leave it out.',
  httpsProtocol: 'the local API speaks plain HTTP; put a proxy with your certificate before it.',
  ignoreJWTSignature: NO_TOKEN_FLAGS,
  lambdaPort: 'functions have no port of their own; call the API, or set COMPANION_PORT.',
  layersDir: 'no function has layers; leave it out.',
  localEnvironment: 'functions get their settings from the environment anyway; leave it out.',
  noAuth: NO_TOKEN_FLAGS,
  noTimeout: 'functions end at their time-out as deployed; leave it out.',
  prefix: 'paths begin at /; leave it out.',
  preLoadModules: 'every function is loaded at the start; leave it out.',
  reloadHandler: 'stop it and start it again after a change.',
  resourceRoutes: 'all routes are functions; leave it out.',
  rubyWatchDirs: 'no function is in Ruby; leave it out.',
  terminateIdleLambdaTime: 'functions stay loaded; leave it out.',
  useDocker: NO_DOCKER,
  webSocketHardTimeout: NO_WEBSOCKET,
  webSocketIdleTimeout: NO_WEBSOCKET,
  websocketPort: NO_WEBSOCKET,
};

const SHORTCUTS = { httpsProtocol: 'H', noTimeout: 't', prefix: 'p' };

/** Refused flags without a value. */
const SWITCHES = [
  'corsDisallowCredentials',
  'dockerReadOnly',
  'enforceSecureCookies',
  'ignoreJWTSignature',
  'localEnvironment',
  'noAuth',
  'noTimeout',
  'reloadHandler',
  'resourceRoutes',
  'useDocker',
];

const INVOKE_LOCAL =
  'A function alone has no tables, queues or saga: run `npm start` and call it over HTTP, as README.md shows, in place of `serverless invoke local`.';

/** The CLI prints an error's stack. This error's stack is only its message. */
class OfflineError extends Error {
  constructor(message) {
    super(message);
    this.stack = message;
  }
}

/** Options in the form that the CLI parses. The CLI itself refuses an unknown option. */
function optionsOfCli() {
  const taken = Object.entries(VARIABLES).map(([name, { usage, shortcut }]) => [
    name,
    { usage, type: 'string', ...(shortcut === undefined ? {} : { shortcut }) },
  ]);
  const soAnyway = Object.entries(ALREADY_SO).map(([name, usage]) => [
    name,
    { usage, type: 'boolean' },
  ]);
  const refused = Object.entries(REFUSED).map(([name, advice]) => [
    name,
    {
      usage: `Refused: ${advice}`,
      type: SWITCHES.includes(name) ? 'boolean' : 'string',
      ...(SHORTCUTS[name] === undefined ? {} : { shortcut: SHORTCUTS[name] }),
    },
  ]);
  return Object.fromEntries([...taken, ...soAnyway, ...refused]);
}

/**
 * Variables that the flags set.
 * @throws OfflineError that names every refused flag, with advice.
 */
function variablesOf(options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const problems = given.flatMap(([name]) => {
    if (REFUSED[name] !== undefined) return [`--${name}: ${REFUSED[name]}`];
    if (name === 'param') return ['--param: set NAME=value in the environment in its place.'];
    return [];
  });
  if (problems.length > 0) throw new OfflineError(`Not supported here. ${problems.join(' ')}`);
  const variables = Object.fromEntries(
    given.flatMap(([name, value]) =>
      VARIABLES[name] === undefined ? [] : [[VARIABLES[name].variable, value]],
    ),
  );
  // The default address of serverless-offline.
  if (variables.LISTEN_ADDRESS === 'localhost') variables.LISTEN_ADDRESS = '127.0.0.1';
  return { ...variables, ...(options.region === undefined ? {} : { AWS_REGION: options.region }) };
}

/** The CLI's own Node.js if it is new enough, otherwise the one that `npm ci` has installed. */
function nodeFor(serviceDir) {
  const isNewEnough = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR;
  return isNewEnough ? process.execPath : join(serviceDir, 'node_modules', '.bin', 'node');
}

/** Forwards signals to the child, which decides by itself when it has stopped. */
function passSignalsTo(child) {
  const last = new Map();
  const pass = (signal) => {
    const now = Date.now();
    if (now - (last.get(signal) ?? 0) < SAME_SIGNAL_WITHIN_MS) return;
    last.set(signal, now);
    child.kill(signal);
  };
  process.on('SIGINT', pass);
  process.on('SIGTERM', pass);
  process.on('SIGHUP', () => pass('SIGTERM'));
}

class RunOffline {
  constructor(serverless, options) {
    const lifecycleEvents = ['run'];
    const own = optionsOfCli();
    const usage = 'Runs everything on this machine, as `npm start` does.';
    this.commands = {
      offline: {
        usage,
        lifecycleEvents,
        options: own,
        commands: { start: { usage, lifecycleEvents, options: own } },
      },
    };
    const run = () => this.run(serverless.serviceDir, options);
    this.hooks = {
      'offline:run': run,
      'offline:start:run': run,
      // The CLI runs its own part of `invoke local` before any hook of the command.
      initialize: () => {
        const command = serverless.processedInput.commands.join(' ');
        if (command === 'invoke local') throw new OfflineError(INVOKE_LOCAL);
      },
    };
  }

  /** Resolves after the stack has stopped. If it failed, ends the process with its exit code. */
  async run(serviceDir, options) {
    const variables = variablesOf(options);
    const child = spawn(
      nodeFor(serviceDir),
      ['--require', join(__dirname, 'stop-with-parent.cjs'), join(serviceDir, 'local', 'start.ts')],
      {
        cwd: serviceDir,
        env: { ...process.env, ...variables },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        // A process group of its own, so that Ctrl-C reaches the child only once, through this process.
        detached: true,
      },
    );
    passSignalsTo(child);
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (exitCode) => resolve(exitCode ?? 1));
    });
    // The child has printed the reason.
    if (code !== 0) process.exit(code);
  }
}

module.exports = Object.assign(RunOffline, { optionsOfCli, variablesOf });
