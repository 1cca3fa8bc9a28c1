/**
 * Preloaded into a process of any role (NODE_OPTIONS=--require). It makes the usage meter a handler that takes the events
 * `ledger.*` in order, fails each once, and notes in the table `handled` those that it has handled.
 */
const path = require('node:path');

const { UsageMeter } = require(path.resolve('dist/src/worker/handlers/usage-meter.js'));

UsageMeter.prototype.ordering = 'key';
const { handle } = UsageMeter.prototype;
UsageMeter.prototype.handle = async function (events, call) {
  for (const { id, type, dispatchNo } of events) {
    if (!type.startsWith('ledger.')) continue;
    if (dispatchNo % 2 === 1) throw new Error(`it breaks in dispatch ${dispatchNo}`);
    await call.db.query('insert into handled (event_id) values ($1)', [id]);
  }
  return handle.call(this, events, call);
};
