/**
 * node bench/server.ts ours|no-write|tx-per-request|unobserved|no-seams
 * Runs the compiled application in the api role with one of the compared intakes. Settings come from the environment;
 * DATABASE_URL must be set. To profile: run `node --cpu-prof bench/server.ts ours`, send load, then SIGTERM.
 */
import '../src/runtime/require-node.js';
import { Pool } from 'pg';
import type * as CreateApp from '../src/create-app.js';
import type * as ParseSettings from '../src/config/parse-settings.js';
import type * as StartTracing from '../src/observability/start-tracing.js';
import type * as IntakeModule from '../src/ingest/store/intake.js';
import { compiled } from '#bench/compiled';
import { writeNothing, writeOneByOne } from '#bench/intakes';
import { measureNothing, traceNothing } from '#bench/unobserved';

const { createApp } = compiled<typeof CreateApp>('create-app');
const { parseSettings } = compiled<typeof ParseSettings>('config/parse-settings');
const { startTracing } = compiled<typeof StartTracing>('observability/start-tracing');
const { Intake } = compiled<typeof IntakeModule>('ingest/store/intake');

const { DATABASE_URL } = process.env;
if (!DATABASE_URL) throw new Error('Set DATABASE_URL to a database that has the schema.');
const settings = parseSettings({ APP_ROLE: 'api', PORT: '0', LOG_LEVEL: 'warn', ...process.env });
const mode = process.argv[2] ?? 'ours';
if (mode === 'unobserved') measureNothing();
if (mode === 'unobserved' || mode === 'no-seams') traceNothing();
const stopTracing = settings.OTEL_EXPORTER_OTLP_ENDPOINT ? await startTracing(settings) : undefined;
const app = await createApp(settings, DATABASE_URL);
if (mode === 'no-write') writeNothing(app.get(Intake));
else if (mode === 'tx-per-request') writeOneByOne(app.get(Intake), app.get(Pool));
else if (!['ours', 'unobserved', 'no-seams'].includes(mode)) throw new Error(`Unknown mode ${mode}.`);

await app.listen(settings.PORT, settings.HOST);
process.stdout.write(`${mode}\n  address    ${await app.getUrl()}\n`);
process.once('SIGTERM', () => {
  void app
    .close()
    .then(() => stopTracing?.())
    .then(() => process.exit(0));
});
