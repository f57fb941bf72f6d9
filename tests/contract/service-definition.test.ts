import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askCli, readServiceDefinition } from '../../local/stack/service-definition.ts';

const root = join(import.meta.dirname, '../..');

test('the definition that is kept is the one that the serverless CLI resolves', async () => {
  await readServiceDefinition(root);
  // The second read comes from the first one's cache.
  const kept = await readServiceDefinition(root);
  expect(kept).toEqual(await askCli(root));
});

test('another file, or another variable of the environment, is another definition', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ordersaga-definition-'));
  const linked = ['infrastructure', 'statemachines', 'lib', 'functions', 'node_modules'];
  for (const name of [...linked, 'package.json', 'package-lock.json', 'tsconfig.json']) {
    await symlink(join(root, name), join(folder, name));
  }
  await mkdir(join(folder, '.local'));
  const service = (memorySize: number) => `
service: ordersaga
provider: { name: aws, region: '\${env:AWS_REGION, "eu-central-1"}', stage: local, timeout: 20, memorySize: ${String(memorySize)}, environment: {} }
plugins: [serverless-step-functions]
functions: {}
stepFunctions: { stateMachines: { orderSaga: { name: saga } } }
resources: { Resources: {} }
`;
  const read = async (memorySize: number) => {
    await writeFile(join(folder, 'serverless.yml'), service(memorySize));
    const { provider } = await readServiceDefinition(folder);
    return `${provider.region} ${String(provider.memorySize)}`;
  };
  const region = process.env['AWS_REGION'];
  try {
    delete process.env['AWS_REGION'];
    expect(await read(512)).toBe('eu-central-1 512');
    expect(await read(1024)).toBe('eu-central-1 1024');
    process.env['AWS_REGION'] = 'us-east-1';
    expect(await read(1024)).toBe('us-east-1 1024');
    expect(await readdir(join(folder, '.local', 'service-definition'))).toHaveLength(3);
  } finally {
    if (region === undefined) delete process.env['AWS_REGION'];
    else process.env['AWS_REGION'] = region;
    await rm(folder, { recursive: true, force: true });
  }
});
