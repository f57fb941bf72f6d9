// Keeps stage `local` on emulators: its settings are unsafe on AWS, and its resource names do not name an owner.
// The plugin refuses the CLI's commands that reach AWS, unless AWS_ENDPOINT_URL leads them to an emulator.
const loadTypeScript = require('./load-typescript.cjs');

const { isAwsHost } = loadTypeScript('local/emulator/aws-hosts.ts');

const REACHES_AWS = ['deploy', 'info', 'invoke', 'logs', 'metrics', 'remove', 'rollback'];
/** The exception: it runs the function in the CLI's own process. */
const INVOKE_LOCAL = 'invoke local';

function leadsToEmulator(environment) {
  const ignored = environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true';
  if (ignored || !URL.canParse(environment.AWS_ENDPOINT_URL ?? '')) return false;
  // The SDK prefers the endpoint of a single service to the common one.
  return Object.entries(environment)
    .filter(([name]) => name.startsWith('AWS_ENDPOINT_URL'))
    .every(([, value]) => URL.canParse(value) && !isAwsHost(new URL(value).hostname));
}

module.exports = class OnlyToEmulators {
  constructor(serverless) {
    const refuse = () => {
      const { commands } = serverless.processedInput;
      const stage = serverless.service.provider.stage;
      const command = commands.join(' ');
      if (stage !== 'local' || !REACHES_AWS.includes(commands[0]) || command === INVOKE_LOCAL)
        return;
      if (leadsToEmulator(process.env)) return;
      throw new serverless.classes.Error(
        `serverless ${command} is not for AWS in stage local: deploy to an emulator with npm run deploy:local, ` +
          'or name another stage with --stage (docs/deploy.md).',
        'ONLY_TO_EMULATORS',
      );
    };
    this.hooks = { initialize: refuse };
  }
};
