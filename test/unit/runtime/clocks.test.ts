import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const SRC = path.resolve(__dirname, '../../../src');

/**
 * Where the clock of the machine is meant, which an operator or NTP may change at any moment. Durations are of
 * performance.now(), and what is stored or compared with what is stored is of timeOfDayMs().
 */
const OF_THE_DAY: Record<string, string> = {
  'commands/demo-receiver/receiver.ts': 'shown',
  'db/clock.queries.ts': "compares it with PostgreSQL's",
  'event/time-of-day.ts': 'what everything else uses',
  'http/request-spans.ts': 'the start of a span',
  'ingest/results/spill-directory.ts': 'a file name',
  'ingest/store/batch-report.ts': 'the start of a span',
  'outbox/claim-report.ts': 'the start of a span',
  'observability/log-format.ts': 'lines of the log',
  'observability/log-output.ts': 'lines of the log',
  'event/elapsed-time.ts': 'shows that the machine may have slept',
};

it('durations and waits do not depend on a clock that may jump', () => {
  const files = globSync('**/*.ts', { cwd: SRC }).map((file) => file.replaceAll(path.sep, '/'));
  const users = files.filter((file) => /Date\.now\(|new Date\(\)/.test(readFileSync(path.join(SRC, file), 'utf8')));
  expect(users.toSorted()).toEqual(Object.keys(OF_THE_DAY).toSorted());
});
