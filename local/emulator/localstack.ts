import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDynamoDbLocal } from '../stack/dynamodb-local.ts';
import { checkJava, javaCommand } from '../stack/java.ts';
import {
  type EmulatorOptions,
  HOST,
  type RunningEmulator,
  startEmulatorProcess,
} from './emulator-process.ts';
import { installPythonProgram } from './install-python-program.ts';

const inFolder = (name: string) => fileURLToPath(new URL(`localstack/${name}`, import.meta.url));

const PROGRAM = {
  name: 'LocalStack',
  requirements: ['build-requirements.txt', 'requirements.txt'].map(inFolder),
  // Narrower than its package says: it imports names that are new in 3.13, and one of its distributions is not for
  // 3.14.
  python: { oldest: [3, 13], newest: [3, 13] },
  instead:
    'With Docker it goes without: docker compose up localstack. npm run ministack needs only Python 3.10.',
} as const;

/** Services that serverless.yml uses. docker-compose.yml has the same list. */
export const SERVICES =
  'apigateway,cloudformation,cloudwatch,dynamodb,dynamodbstreams,events,iam,kms,lambda,logs,s3,sns,sqs,ssm,stepfunctions,sts';

/** LocalStack's CloudFormation does not know this type, and nothing depends on it. */
const UNSUPPORTED = 'AWS::CloudWatch::Dashboard';

/**
 * Starts LocalStack without Docker, on the loopback interface. Its functions run as processes.
 * @throws PythonProblem, JavaProblem, EmulatorProblem, PortInUseError
 */
export async function startLocalStack(options: EmulatorOptions): Promise<RunningEmulator> {
  const java = javaCommand(process.env);
  await checkJava(java);
  const python = await installPythonProgram(PROGRAM, options.directory);
  return startEmulatorProcess({
    ...options,
    name: PROGRAM.name,
    portVariable: 'LOCALSTACK_PORT',
    command: [python, inFolder('host_localstack.py')],
    giveUpAfterMs: 120_000,
    prepare: (temporary) => {
      mkdirSync(join(temporary, 'cache'));
      // Without this file Node would take the functions for ES modules, as the project's own files are.
      writeFileSync(join(temporary, 'package.json'), '{ "type": "commonjs" }');
      const address = `${HOST}:${String(options.port)}`;
      const path = [dirname(process.execPath), process.env['PATH'] ?? ''];
      return {
        PATH: (java === 'java' ? path : [dirname(java), ...path]).join(':'),
        OVERRIDE_IN_DOCKER: '0',
        FILESYSTEM_ROOT: temporary,
        XDG_CACHE_HOME: join(temporary, 'cache'),
        // LocalStack reads the usual variable as an obsolete setting of its own.
        TMPDIR: undefined,
        TEMP: temporary,
        // Keeps LocalStack from reporting usage, downloading a certificate and starting a name server.
        DISABLE_EVENTS: '1',
        SKIP_SSL_CERT_DOWNLOAD: '1',
        DNS_ADDRESS: '0',
        GATEWAY_LISTEN: address,
        // Host of the queues' URLs. The default name resolves only through the Internet's name servers.
        LOCALSTACK_HOST: address,
        SQS_ENDPOINT_STRATEGY: 'path',
        SERVICES,
        DYNAMODB_IN_MEMORY: '1',
        DYNAMODB_LOCAL_HOME: findDynamoDbLocal(),
        LAMBDA_NODE: process.execPath,
        // The default of ten minutes would keep a hundred processes alive.
        LAMBDA_KEEPALIVE_MS: '60000',
        CFN_IGNORE_UNSUPPORTED_TYPE_CREATE: UNSUPPORTED,
        CFN_IGNORE_UNSUPPORTED_TYPE_UPDATE: UNSUPPORTED,
      };
    },
  });
}
