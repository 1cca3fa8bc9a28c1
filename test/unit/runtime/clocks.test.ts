import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const SRC = path.resolve(__dirname, '../../../src');

/** Where the time of day is meant, which an operator or NTP may change at any moment. Durations are of performance.now(). */
const OF_THE_DAY: Record<string, string> = {
  'admin/destinations/backfills.ts': 'where the ids of now begin',
  'admin/erasures/erasures.ts': 'where the ids of now begin',
  'admin/sources/source-view.ts': 'what operators see of an end that is stored',
  'access/last-used.ts': 'stored',
  'db/clock.queries.ts': "compares it with PostgreSQL's",
  'deliveries/dispatcher.ts': 'a latency that begins in another process',
  'destinations/delivery-client.ts': 'Retry-After as a date',
  'event/prepare-event.ts': 'the time of receipt',
  'event/uuid-v7.ts': 'ids',
  'http/request-spans.ts': 'the start of a span',
  'ingest/results/spill-directory.ts': 'a file name',
  'ingest/store/batch-report.ts': 'the start of a span',
  'sources/directory/live-source.ts': 'the end of an old secret',
  'sources/directory/source-registry.ts': 'the end of an old token',
  'sources/verification/provider-keys.ts': 'the end of a certificate',
  'worker/settle/settle-report.ts': 'a latency that begins in another process',
};

it('durations and waits do not depend on a clock that may jump', () => {
  const files = globSync('**/*.ts', { cwd: SRC }).map((file) => file.replaceAll(path.sep, '/'));
  const users = files.filter((file) => readFileSync(path.join(SRC, file), 'utf8').includes('Date.now('));
  expect(users.toSorted()).toEqual(Object.keys(OF_THE_DAY).toSorted());
});
