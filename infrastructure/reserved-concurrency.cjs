// Reserves concurrency for what accepted orders need, so that callers cannot use up the account's pool. A stage that
// reserves none leaves the property out: 0 would keep a function from running at all.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { parse } = require('yaml');

const functions = parse(readFileSync(join(__dirname, 'functions.yml'), 'utf8'), {
  logLevel: 'error',
});

/** Parameter of each function that accepted orders need. */
function parameterOf(name, { handler, events = [] }) {
  const isOfSaga = handler.startsWith('functions/saga/') || name === 'retryCompensation';
  if (isOfSaga) return 'SAGA_RESERVED_CONCURRENCY';
  if (name === 'reservations') return 'INVENTORY_RESERVED_CONCURRENCY';
  if (name.endsWith('Acknowledgement')) return 'WEBHOOK_RESERVED_CONCURRENCY';
  return events.some(({ schedule }) => schedule) ? 'SCHEDULE_RESERVED_CONCURRENCY' : undefined;
}

module.exports = async ({ resolveVariable }) => {
  const reserving = {};
  for (const [name, fn] of Object.entries(functions)) {
    const parameter = parameterOf(name, fn);
    if (parameter === undefined) continue;
    const count = Number(await resolveVariable(`param:${parameter}`));
    if (count > 0) reserving[name] = { reservedConcurrency: count };
  }
  return reserving;
};
