import { randomUUID } from 'node:crypto';
import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeStateMachineCommand,
  ListStateMachinesCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, only, ROLE_ARN, type Target } from './target.ts';

const pass = JSON.stringify(only({ Type: 'Pass' }));
const otherPass = JSON.stringify(only({ Type: 'Pass', Result: 'other' }));

describe('state machines', () => {
  let target: Target;
  beforeAll(async () => {
    target = await connect();
  });
  afterAll(() => target.close());

  const create = (name: string, definition: string) =>
    target.client.send(new CreateStateMachineCommand({ name, definition, roleArn: ROLE_ARN }));

  it('a created state machine is described as it was given', async () => {
    const name = `machine-${randomUUID()}`;
    const { stateMachineArn, creationDate } = await create(name, pass);
    expect(stateMachineArn).toMatch(
      new RegExp(`^arn:aws:states:[a-z0-9-]+:000000000000:stateMachine:${name}$`),
    );
    const described = await target.client.send(
      new DescribeStateMachineCommand({ stateMachineArn }),
    );
    expect(described).toMatchObject({
      stateMachineArn,
      name,
      definition: pass,
      roleArn: ROLE_ARN,
      type: 'STANDARD',
      status: 'ACTIVE',
    });
    expect(described.creationDate).toEqual(creationDate);
  });

  it('creating the same state machine again answers the first', async () => {
    const name = `machine-${randomUUID()}`;
    const first = await create(name, pass);
    const second = await create(name, pass);
    expect(second.stateMachineArn).toBe(first.stateMachineArn);
    expect(second.creationDate).toEqual(first.creationDate);
  });

  it('another definition under a taken name is StateMachineAlreadyExists', async () => {
    const name = `machine-${randomUUID()}`;
    await create(name, pass);
    await expect(create(name, otherPass)).rejects.toHaveProperty(
      'name',
      'StateMachineAlreadyExists',
    );
  });

  for (const [reason, definition] of [
    ['is not JSON', '{'],
    ['has no states', '{}'],
    ['leads nowhere', '{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}'],
    ['starts nowhere', '{"StartAt":"B","States":{"A":{"Type":"Pass","End":true}}}'],
    ['has a state of no known type', '{"StartAt":"A","States":{"A":{"Type":"Hop","End":true}}}'],
  ] as const) {
    it(`a definition that ${reason} is InvalidDefinition`, async () => {
      await expect(create(`machine-${randomUUID()}`, definition)).rejects.toHaveProperty(
        'name',
        'InvalidDefinition',
      );
    });
  }

  it('a name with forbidden characters is InvalidName', async () => {
    await expect(create('has space', pass)).rejects.toHaveProperty('name', 'InvalidName');
  });

  it('an unknown state machine is StateMachineDoesNotExist', async () => {
    const known = await target.create(only({ Type: 'Pass' }));
    const stateMachineArn = `${known}-unknown`;
    await expect(
      target.client.send(new DescribeStateMachineCommand({ stateMachineArn })),
    ).rejects.toHaveProperty('name', 'StateMachineDoesNotExist');
  });

  it('what is not the ARN of a state machine is InvalidArn', async () => {
    await expect(
      target.client.send(new DescribeStateMachineCommand({ stateMachineArn: 'not-an-arn' })),
    ).rejects.toHaveProperty('name', 'InvalidArn');
  });

  it('a deleted state machine cannot be started', async () => {
    const stateMachineArn = await target.create(only({ Type: 'Pass' }));
    await target.client.send(new DeleteStateMachineCommand({ stateMachineArn }));
    await expect(
      target.client.send(new StartExecutionCommand({ stateMachineArn })),
    ).rejects.toHaveProperty('name', 'StateMachineDoesNotExist');
  });

  it('deleting an unknown state machine is harmless', async () => {
    const stateMachineArn = await target.create(only({ Type: 'Pass' }));
    await target.client.send(new DeleteStateMachineCommand({ stateMachineArn }));
    await target.client.send(new DeleteStateMachineCommand({ stateMachineArn }));
  });

  it('the list of state machines is paged and complete', async () => {
    const created: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      created.push(await target.create(only({ Type: 'Pass' })));
    }
    const listed: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const answer = await target.client.send(
        new ListStateMachinesCommand({ maxResults: 2, nextToken }),
      );
      expect(answer.stateMachines?.length).toBeLessThanOrEqual(2);
      listed.push(...(answer.stateMachines ?? []).map((machine) => machine.stateMachineArn));
      nextToken = answer.nextToken;
    } while (nextToken !== undefined);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toEqual(expect.arrayContaining(created));
  });
});
