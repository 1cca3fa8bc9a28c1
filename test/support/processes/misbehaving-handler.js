/**
 * Preloaded into a worker process (NODE_OPTIONS=--require). It makes the usage meter fail for the event types `test.*`,
 * so that tests can watch real processes with failing handlers, while the product needs no hook for them.
 */
const path = require('node:path');

const worker = path.resolve('dist/src/worker');
const { UsageMeter } = require(path.join(worker, 'handlers/usage-meter.js'));
const { InvalidPayloadError } = require(path.join(worker, 'handler.js'));

const failures = new Map();
const misbehave = {
  'test.crash': () => process.kill(process.pid, 'SIGKILL'),
  'test.failing': () => {
    throw new Error('it always breaks');
  },
  'test.invalid': () => {
    throw new InvalidPayloadError('no amount');
  },
  'test.quoting': ({ body }) => {
    throw new Error(`cannot take ${body}`);
  },
  'test.sql': ({ id }, db) => db.query('select 1 / (length($1) - length($1))', [id]),
  'test.twice': ({ id, dispatchNo }) => {
    failures.set(id, dispatchNo);
    if (dispatchNo <= 2) throw new Error(`it breaks in dispatch ${dispatchNo}`);
  },
};

const { handle } = UsageMeter.prototype;
UsageMeter.prototype.handle = async function (events, call) {
  for (const event of events) await misbehave[event.type]?.(event, call.db);
  return handle.call(this, events, call);
};
