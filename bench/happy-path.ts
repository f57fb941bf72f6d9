import { parseArgs } from 'node:util';
import { type Meter, type Reading, startMeter } from './cost/meter.ts';
import { take } from './cost/ways.ts';
import { type ExecutedCode, watchExecutedCode } from './executed-code.ts';
import record from './happy-path.json' with { type: 'json' };

/**
 * Measures the executed code, requests, DynamoDB units and state entries of one paid order on the embedded stack:
 * `npm run bench:happy-path`. The first order warms up, the second is measured. `npm run cost` gives the cost in money.
 * With `--check` it only compares what an order costs whose user does not wait with happy-path.json, and fails if one
 * figure is higher. Whoever raises a figure there says why; whoever lowers one writes it down.
 */
const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const meter = await startMeter();
try {
  await meter.stateEntries(await take(meter, 'paid', 'warm-up'));
  meter.read();
  if (options.check) await check(meter);
  else await measure(meter);
} finally {
  await meter.stop();
}

async function measure(meter: Meter): Promise<void> {
  const watch = await watchExecutedCode();
  const stateEntries = await meter.stateEntries(await take(meter, 'paid', 'measured'));
  reportCode(await watch.stop());
  report(meter.read(), stateEntries);
}

/** The least of five orders: now and then one also reads the circuit, or a schedule falls into it. */
async function check(meter: Meter): Promise<void> {
  const orders: (typeof record)[] = [];
  for (let order = 1; order <= 5; order += 1) {
    const stateEntries = await meter.stateEntries(
      await take(meter, 'paid', `checked-${String(order)}`, 0),
    );
    const { effects, invocations, writeUnits } = meter.read();
    orders.push({
      'DynamoDB requests': effects.filter(({ kind }) => kind === 'dynamodb').length,
      'write units': writeUnits,
      'state entries': stateEntries,
      invocations: invocations.length,
    });
  }
  for (const name of Object.keys(record) as (keyof typeof record)[]) {
    const now = Math.min(...orders.map((order) => order[name]));
    const before = record[name];
    const verdict =
      now > before ? 'HIGHER than on record' : now < before ? 'lower: write it down' : '';
    process.stdout.write(
      `${name.padEnd(20)} ${String(now).padStart(3)}  on record ${String(before).padStart(3)}  ${verdict}`.trimEnd() +
        '\n',
    );
    if (now > before) process.exitCode = 1;
  }
}

function reportCode({ functionsByFile }: ExecutedCode): void {
  let functions = 0;
  for (const [path, count] of [...functionsByFile].sort()) {
    process.stdout.write(`${path.padEnd(56)} ${String(count).padStart(3)}\n`);
    functions += count;
  }
  process.stdout.write(
    `\nFiles executed ${String(functionsByFile.size)}, functions ${String(functions)}\n\n`,
  );
}

/** Prints the write units of each write, in the order of the writes: of its items, and of each index. */
function reportWrites(writes: Reading['writes']): void {
  let ofIndexes = 0;
  for (const { operation, items, tableUnits, indexUnits } of writes) {
    const indexes = Object.entries(indexUnits).map(([name, units]) => `${name} ${String(units)}`);
    ofIndexes += Object.values(indexUnits).reduce((sum, units) => sum + units, 0);
    const row = [
      operation.padEnd(20),
      items.join(' + ').padEnd(24),
      String(tableUnits).padStart(2),
    ];
    process.stdout.write(`${[...row, indexes.join(', ')].join('  ').trimEnd()}\n`);
  }
  process.stdout.write(`Write units of indexes ${String(ofIndexes)}\n`);
}

function report({ effects, readUnits, writeUnits, writes }: Reading, stateEntries: number): void {
  reportWrites(writes);
  const counts = new Map<string, number>();
  for (const { kind, operation } of effects) {
    const name = `${kind} ${operation}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  process.stdout.write('\n');
  for (const [name, count] of [...counts].sort()) {
    process.stdout.write(`${name.padEnd(32)} ${String(count)}\n`);
  }
  const requests = effects.filter(({ kind }) => kind === 'dynamodb').length;
  process.stdout.write(
    `\nDynamoDB requests ${String(requests)}, write units ${String(writeUnits)}, ` +
      `read units ${String(readUnits)}, state entries ${String(stateEntries)}\n`,
  );
}
