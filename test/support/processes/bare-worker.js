/**
 * The compiled worker alone, without the HTTP server and other parts that take time to start, for tests that kill many
 * workers. It reads its settings from the environment. Events of the type `test.crash` kill it.
 */
const path = require('node:path');

const load = (module) => require(path.resolve('dist/src', module));
const { parseSettings } = load('config/parse-settings.js');
const { createPool } = load('db/pool.js');
const { RabbitBroker } = load('broker/rabbit-broker.js');
const { Metrics } = load('observability/metrics.js');
const { createWorker } = load('worker/create-worker.js');
const { InstallationKey } = load('installation/installation-key.js');
const { UsageMeter } = load('worker/handlers/usage-meter.js');

const killer = {
  kind: 'transactional',
  name: 'killer',
  eventTypes: ['test.crash'],
  handle: () => Promise.resolve(process.kill(process.pid, 'SIGKILL')),
};

const noDeliveries = { plan: () => Promise.resolve([]), keepsOrder: () => false, stop: () => Promise.resolve() };

async function main() {
  const settings = parseSettings(process.env);
  const pool = createPool(settings.DATABASE_URL, 'bare worker');
  const keys = new InstallationKey(settings, pool);
  const broker = await RabbitBroker.connect(settings.RABBITMQ_URL, { publishes: false, consumes: true }, keys);
  const handlers = [new UsageMeter(), killer];
  const parts = { settings, pool, broker, metrics: new Metrics(), handlers, deliveries: noDeliveries };
  const worker = createWorker(parts);
  worker.onApplicationBootstrap();
  process.stdout.write('bare worker started\n');
}

main();
