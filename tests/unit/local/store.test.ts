import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JavaProblem } from '../../../local/stack/java.ts';
import { chooseStore, describeStore } from '../../../local/stack/store.ts';

let home = '';
const nowhere = { JAVA_HOME: '/nowhere' };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'java-home-'));
  const java = join(home, 'bin', 'java');
  await mkdir(join(home, 'bin'));
  await writeFile(java, '#!/bin/sh\necho \'openjdk version "17.0.15"\' >&2\n');
  await chmod(java, 0o755);
});

afterAll(() => rm(home, { recursive: true }));

describe('chooseStore', () => {
  it('takes DynamoDB Local where there is Java, unless memory is asked for', async () => {
    const environment = { JAVA_HOME: home };
    const java = join(home, 'bin', 'java');
    const local = { kind: 'dynamodb-local', java };
    expect(await chooseStore('auto', false, environment)).toEqual(local);
    expect(await chooseStore('auto', true, environment)).toEqual(local);
    expect(await chooseStore('dynamodb-local', true, environment)).toEqual(local);
    expect(await chooseStore('memory', false, environment)).toEqual({ kind: 'memory' });
  });

  it('takes memory where there is no Java, and knows why', async () => {
    const store = await chooseStore('auto', false, nowhere);
    expect(store.kind).toBe('memory');
    expect(describeStore(store)).toContain('in memory (/nowhere/bin/java was not found)');
  });

  it('asks for Java where DynamoDB Local is asked for, or data is to be kept', async () => {
    await expect(chooseStore('dynamodb-local', false, nowhere)).rejects.toThrow(JavaProblem);
    const kept = chooseStore('auto', true, nowhere);
    await expect(kept).rejects.toThrow('--data DIR needs DynamoDB Local');
    await expect(kept).rejects.toThrow('apt-get install openjdk-17-jre-headless');
  });

  it('keeps no data in memory', async () => {
    await expect(chooseStore('memory', true, nowhere)).rejects.toThrow(
      'Leave out --data, or STORE=memory',
    );
  });
});

describe('describeStore', () => {
  it('says in one line what a store means', () => {
    const memory = describeStore({ kind: 'memory' });
    const local = describeStore({ kind: 'dynamodb-local', java: 'java' });
    expect(memory).toContain('gone when this ends');
    expect(memory).toContain('--data DIR needs Java 17 or newer');
    expect(local).toContain('accepts connections from the network');
    expect(`${memory}${local}`).not.toContain('\n');
  });
});
