// Derives the template's parameters, the functions' environment and the schedule from the settings in lib/platform.
// An environment variable with a setting's name sets it.
const loadTypeScript = require('./load-typescript.cjs');

const { problemWith, rangeOf, SETTINGS, valueOf } = loadTypeScript('lib/platform/settings.ts');
const { reservationWaitSeconds, SAGA_CONSTANTS } = loadTypeScript('statemachines/constants.ts');
const { deadlinesOf } = loadTypeScript('lib/orders/recovery/deadlines.ts');
const { TEMPLATE_SETTINGS } = loadTypeScript('lib/platform/template-settings.ts');

const PARAMETERS = Object.entries({ ...SETTINGS, ...TEMPLATE_SETTINGS }).filter(
  ([, { kind }]) => kind !== 'secrets',
);

/** The CLI prints an error's stack. This error's stack is only its message. */
class BadSettingError extends Error {
  constructor(message) {
    super(message);
    this.stack = message;
  }
}

/** Parameters by name: the environment variable if there is one, otherwise the template's value. */
function parameters(templateValueOf) {
  return Object.fromEntries(
    PARAMETERS.flatMap(([name, setting]) => {
      const text = process.env[name];
      // A bad value is passed on unchanged. `environment` refuses it.
      const value =
        text === undefined ? templateValueOf(setting) : (valueOf(setting, text) ?? text);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Parameters of a stage that differ from the defaults. */
function parametersOfStage(stage) {
  const own = PARAMETERS.filter(([, setting]) => setting[stage] !== undefined);
  const all = parameters((setting) => setting[stage]);
  return Object.fromEntries(own.map(([name]) => [name, all[name]]));
}

/** True if the value is known at this point. CloudFormation looks some values up, or builds them. */
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

/** The stage's value of every setting, from any of the CLI's sources of parameters. */
async function stageValues(resolveVariable) {
  const stage = await resolveVariable('sls:stage');
  // Checked before that stage can lack a setting. The plugin itself runs too late for that.
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
  const { WEBHOOK_RESERVED_CONCURRENCY: webhook, QUEUE_MAX_CONCURRENCY: batches } = values;
  if (webhook > 0 && webhook < batches) {
    problems.push(
      `WEBHOOK_RESERVED_CONCURRENCY is ${webhook}: with fewer than QUEUE_MAX_CONCURRENCY (${batches}) a throttled message would count as a failed one`,
    );
  }
  const { WAF_RATE_PER_IP: perIp } = values;
  if (perIp > 0 && perIp < 10)
    problems.push(`WAF_RATE_PER_IP is ${perIp}: AWS WAF takes 0 or at least 10`);
  if (problems.length > 0) throw new BadSettingError(`Bad setting. ${problems.join('; ')}.`);
  try {
    deadlinesOf(values);
  } catch (error) {
    if (error.name !== 'ConfigurationError') throw error;
    throw new BadSettingError(error.message);
  }
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
  /** `provider.environment`: the template's own variables, and the checked settings of the stage. */
  environment: async ({ resolveConfigurationProperty, resolveVariable }) => {
    const values = await stageValues(resolveVariable);
    const settings = Object.keys(SETTINGS).filter((name) => values[name] !== undefined);
    return {
      ...(await resolveConfigurationProperty(['custom', 'wiring'])),
      ...Object.fromEntries(settings.map((name) => [name, values[name]])),
    };
  },
  /** `custom.RESERVATION_WAIT_SECONDS`: a number of the state machine that follows from a setting. */
  reservationWait: async ({ resolveVariable }) =>
    reservationWaitSeconds(Number(await resolveVariable('param:RESERVATION_TTL_SECONDS'))),
  /** Rate of the dispatcher and the sweeper. EventBridge rates are whole minutes. */
  schedule: async ({ resolveVariable }) => {
    const seconds = Number(await resolveVariable('param:SCHEDULE_SECONDS'));
    const minutes = Math.max(1, Math.ceil(seconds / 60));
    return `rate(${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`;
  },
};
