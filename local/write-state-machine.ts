import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ORDER_SAGA } from '../statemachines/order-saga.ts';
import { renderStateMachine } from '../statemachines/render-state-machine.ts';
import { FOR_TEST_STATE, testStateCases } from '../statemachines/test-state-cases.ts';

/** `npm run statemachine`: writes what is made from the order saga's table. */
const files = {
  'statemachines/order-saga.asl.json': renderStateMachine(ORDER_SAGA),
  'docs/teststate/state-machine.json': renderStateMachine(ORDER_SAGA, FOR_TEST_STATE),
  'docs/teststate/cases.json': testStateCases(ORDER_SAGA),
};
for (const [name, contents] of Object.entries(files)) {
  const file = join(import.meta.dirname, '..', name);
  writeFileSync(file, `${JSON.stringify(contents, undefined, 2)}\n`);
  process.stdout.write(`${file}\n`);
}
