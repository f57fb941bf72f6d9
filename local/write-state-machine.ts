import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ORDER_SAGA } from '../statemachines/order-saga.ts';
import { renderStateMachine } from '../statemachines/render-state-machine.ts';

/** `npm run statemachine`: writes statemachines/order-saga.asl.json from its table. */
const file = join(import.meta.dirname, '..', 'statemachines', 'order-saga.asl.json');
writeFileSync(file, `${JSON.stringify(renderStateMachine(ORDER_SAGA), undefined, 2)}\n`);
process.stdout.write(`${file}\n`);
