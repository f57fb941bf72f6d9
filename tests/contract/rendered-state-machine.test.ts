import { expect, test } from 'vitest';
import { ORDER_SAGA } from '../../statemachines/order-saga.ts';
import { renderStateMachine } from '../../statemachines/render-state-machine.ts';
import { readOrderSaga } from './deployment.ts';

test('statemachines/order-saga.asl.json is what the table renders: npm run statemachine', () => {
  expect(readOrderSaga()).toEqual(renderStateMachine(ORDER_SAGA));
});
