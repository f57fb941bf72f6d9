// The template's parameters, the functions' environment and the schedule, from the tables of
// settings in lib/platform. A variable of the environment that has a setting's name sets it.
const loadTypeScript = require('./load-typescript.cjs');

const { problemWith, rangeOf, SAGA_CONSTANTS, SETTINGS, valueOf } = loadTypeScript(
  'lib/platform/settings.ts',
);
const { TEMPLATE_SETTINGS } = loadTypeScript('lib/platform/template-settings.ts');

const PARAMETERS = Object.entries({ ...SETTINGS, ...TEMPLATE_SETTINGS }).filter(
  ([, { kind }]) => kind !== 'secrets',
);

/** The CLI prints an error's stack; a bad setting is told in one line. */
class BadSettingError extends Error {
  constructor(message) {
    super(message);
    this.stack = message;
  }
}

/** Parameters by name: the variable of the environment, or the template's value if there is one. */
function parameters(templateValueOf) {
  return Object.fromEntries(
    PARAMETERS.flatMap(([name, setting]) => {
      const text = process.env[name];
      // A bad value is passed on as it is: `environment` refuses it.
      const value =
        text === undefined ? templateValueOf(setting) : (valueOf(setting, text) ?? text);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Parameters of one stage whose value is not the default. */
function parametersOfStage(stage) {
  const own = PARAMETERS.filter(([, setting]) => setting[stage] !== undefined);
  const all = parameters((setting) => setting[stage]);
  return Object.fromEntries(own.map(([name]) => [name, all[name]]));
}

/** Whether the value can be checked now: CloudFormation looks some of them up, or builds them. */
function isKnown(value) {
  return typeof value !== 'object' && !String(value).startsWith('{{resolve:');
}

function problemsWith(name, setting, value, stage) {
  if (value === null) return [`${name} is not set: it must be ${rangeOf(setting)}`];
  if (!isKnown(value)) return [];
  if (typeof value === 'string' && setting.kind === 'number') {
    return [
      valueOf(setting, value) === undefined
        ? problemWith(name, setting, value)
        : `${name} is a text; set a number with ${name}=${value} in the environment, not with --param`,
    ];
  }
  if (valueOf(setting, String(value)) === undefined) {
    return [problemWith(name, setting, String(value))];
  }
  const step = setting.deployedMultipleOf;
  return step === undefined || stage === 'local' || value % step === 0
    ? []
    : [`${name} is ${value}: on a deployed stage it must be a multiple of ${step}`];
}

/** The stage's value of every setting, from wherever the CLI takes parameters. */
async function stageValues(resolveVariable) {
  const stage = await resolveVariable('sls:stage');
  // Before any setting of that stage is found missing; the plugin itself comes too late for it.
  if (process.argv[2] === 'offline' && stage !== 'local') {
    throw new BadSettingError(
      `--stage ${stage}: \`serverless offline\` runs the stage local only.`,
    );
  }
  const values = {};
  const problems = [];
  for (const [name, setting] of PARAMETERS) {
    const value = await resolveVariable(`param:${name}, null`);
    values[name] = value;
    problems.push(...problemsWith(name, setting, value, stage));
  }
  for (const [name, constant] of Object.entries(SAGA_CONSTANTS)) {
    const value = await resolveVariable(`param:${name}`);
    if (value !== constant) problems.push(`${name} is ${value}: nobody may set it`);
  }
  if (problems.length > 0) throw new BadSettingError(`Bad setting. ${problems.join('; ')}.`);
  return values;
}

module.exports = {
  /** `params.default` */
  defaults: {
    ...parameters((setting) => setting.deployed?.value ?? setting.default),
    ...SAGA_CONSTANTS,
  },
  /** `params.prod` */
  prod: parametersOfStage('prod'),
  /** `params.local` */
  local: parametersOfStage('local'),
  /** `provider.environment`: what the template fills in, and the stage's checked settings. */
  environment: async ({ resolveConfigurationProperty, resolveVariable }) => {
    const values = await stageValues(resolveVariable);
    const settings = Object.keys(SETTINGS).filter((name) => values[name] !== undefined);
    return {
      ...(await resolveConfigurationProperty(['custom', 'wiring'])),
      ...Object.fromEntries(settings.map((name) => [name, values[name]])),
    };
  },
  /** The rate of the dispatcher and the sweeper; EventBridge knows whole minutes only. */
  schedule: async ({ resolveVariable }) => {
    const seconds = Number(await resolveVariable('param:SCHEDULE_SECONDS'));
    const minutes = Math.max(1, Math.ceil(seconds / 60));
    return `rate(${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`;
  },
};
