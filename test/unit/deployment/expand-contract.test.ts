import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const DIRECTORY = path.resolve(__dirname, '../../../migrations');

/** What breaks a process of the release before, which runs on while a migration is made and for a while after. */
const CONTRACTING: [string, RegExp][] = [
  ['drops a column', /\bdrop\s+column\b/i],
  ['drops a table', /\bdrop\s+table\b/i],
  ['drops a view', /\bdrop\s+view\b/i],
  ['renames', /\brename\s+(to|column|constraint)\b/i],
  ['changes a type', /\balter\s+column\s+\w+\s+(set\s+data\s+)?type\b/i],
  ['forbids null where it was allowed', /\balter\s+column\s+\w+\s+set\s+not\s+null\b/i],
];

/** The type that the column has already. PostgreSQL drops the statistics of the column and rewrites nothing. */
const SAME_TYPE =
  'alter table destination_failures alter column last_error set statistics 0, alter column last_error type text';

/** In a function that retention calls with the partitions whose time has passed. */
const OF_RETENTION = "execute 'drop table ' ||";

/** What `up` of a migration says; undoing may drop what it made. */
const upOf = (text: string): string =>
  text
    .replace(SAME_TYPE, '')
    .replace(OF_RETENTION, '')
    .replace(/async down\([\s\S]*?\n {2}\}/, '');

function breaches(text: string): string[] {
  return CONTRACTING.flatMap(([what, pattern]) => (pattern.test(upOf(text)) ? [what] : []));
}

// The initial schema has no release before it. A migration that contracts says so in its name, and comes a release after
// the last build that used what it removes.
const later = globSync('*.ts', { cwd: DIRECTORY })
  .toSorted()
  .slice(1)
  .filter((file) => !file.includes('-contract-'));

describe('migrations expand, so that old and new processes run side by side', () => {
  it('all that came after the initial schema', () => {
    const found = later.map((file) => [file, breaches(readFileSync(path.join(DIRECTORY, file), 'utf8'))]);
    expect(found).toEqual(later.map((file) => [file, []]));
  });

  it.each([
    ['alter table events drop column source', 'drops a column'],
    ['drop table dead_letters', 'drops a table'],
    ['drop view event_status', 'drops a view'],
    ['alter table events rename column type to kind', 'renames'],
    ['alter table outbox alter column attempts type bigint', 'changes a type'],
    ['alter table events alter column traceparent set not null', 'forbids null where it was allowed'],
  ])('%s is noticed', (statement, what) => {
    expect(breaches(`async up(runner) { await runner.query('${statement}'); }`)).toEqual([what]);
  });

  it('what undoes a migration is not', () => {
    expect(breaches(`  async down(runner) {\n    await runner.query('drop table x');\n  }`)).toEqual([]);
  });
});
