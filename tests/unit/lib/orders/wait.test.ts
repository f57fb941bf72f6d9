import { expect, test } from 'vitest';
import { signalWait } from '../../../../lib/orders/wait.ts';
import { InfrastructureUnavailable } from '../../../../lib/platform/errors.ts';
import { orderIn, World } from './fakes.ts';

test('the wait that stands now is signalled', async () => {
  const world = new World(orderIn('PAYMENT_IN_PROGRESS'));
  await signalWait(world.service, 'ord_1');
  expect(world.effects).toEqual(['saga.signal user-wait']);
});

test('nobody is signalled if nobody has waited yet', async () => {
  const world = new World(orderIn('CREATED'));
  await signalWait(world.service, 'ord_1');
  expect(world.effects).toEqual([]);
});

test.each(['find wait', 'saga.signal'])('fails if %s does: the work stays due', async (call) => {
  const world = new World(orderIn('PAYMENT_IN_PROGRESS'));
  world.failAt(call, new InfrastructureUnavailable('No answer.'));
  await expect(signalWait(world.service, 'ord_1')).rejects.toBeInstanceOf(
    InfrastructureUnavailable,
  );
});
