import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const SRC = path.resolve(__dirname, '../../../src');

/** What means another moment in another time zone of the session. */
const DEPENDS_ON_TIME_ZONE = [
  /\binterval '\d+ (day|week|month|year)s?'/g,
  /\bmake_interval\((days|weeks|months|years)\b/g,
  /\bdate_trunc\('\w+', [^,()]*(\(\))?\)/g,
  /\b(current_date|localtime|localtimestamp)\b/g,
  /\b(now|clock_timestamp)\(\)::(date|timestamp)\b/g,
  /\bto_date\(/g,
];
/** Days of a timestamp without a time zone are days everywhere. */
const ON_UTC = /at time zone 'UTC' [+-] interval '\d+ days?'/g;

const findings = (text: string): string[] => {
  const rest = text.replaceAll(ON_UTC, '');
  return DEPENDS_ON_TIME_ZONE.flatMap((pattern) => [...rest.matchAll(pattern)].map(([found]) => found));
};

describe('no statement depends on the time zone of its session:', () => {
  it.each(globSync('**/*.queries.ts', { cwd: SRC }))('%s', (file) => {
    expect(findings(readFileSync(path.join(SRC, file), 'utf8'))).toEqual([]);
  });

  it.each([
    [`now() - interval '30 days'`, 1],
    ['now() + make_interval(days => $1)', 1],
    [`date_trunc('minute', now())`, 1],
    [`date_trunc('minute', now(), 'UTC')`, 0],
    ['where day = current_date', 1],
    ['clock_timestamp()::date', 1],
    [`to_char(now() at time zone 'UTC' + interval '1 day', 'X')`, 0],
    [`now() - interval '720 hours'`, 0],
    ['make_interval(secs => $1)', 0],
  ])('%s', (sql, count) => {
    expect(findings(sql)).toHaveLength(count);
  });
});
