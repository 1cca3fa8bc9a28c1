import * as fs from 'node:fs';
import type { Pool } from 'pg';

/** PostgreSQL logs statements that take at least this long, so that the log costs little. */
const LOGGED_FROM_MS = 5;

/** A statement in the log of PostgreSQL, with the time of its planning and its execution. */
export interface LoggedStatement {
  text: string;
  ms: number;
}

/** Makes PostgreSQL log the slower statements of all sessions that begin from now on. Needs a superuser. */
export async function logStatements(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>('select current_database() as name');
  await pool.query(`alter database ${rows[0]?.name} set log_min_duration_statement = ${LOGGED_FROM_MS}`);
  await pool.query(`alter system set log_line_prefix = '[%p] '`);
  await pool.query('alter system set log_parameter_max_length = 0');
  await pool.query('select pg_reload_conf()');
}

const DURATION = /^\[(\d+)\] LOG: {2}duration: ([\d.]+) ms {2}(parse|bind|execute|statement)[^:]*: (.*)$/;

/** Reads the statements of a log. The parts of a statement follow each other in its session: parse, bind, execute. */
export function statementsIn(log: string): LoggedStatement[] {
  const statements: LoggedStatement[] = [];
  const latest = new Map<string, { statement: LoggedStatement; isOver: boolean }>();
  for (const entry of log.split(/\n(?!\t)/)) {
    const [head = '', ...more] = entry.split('\n');
    const found = DURATION.exec(head);
    if (!found) continue;
    const [, session = '', ms = '', part, first = ''] = found;
    const text = [first, ...more].join(' ').replaceAll(/\s+/g, ' ').trim();
    const before = latest.get(session);
    if (before && !before.isOver && part !== 'parse' && before.statement.text === text) {
      before.statement.ms += Number(ms);
      before.isOver = part === 'execute';
    } else {
      const statement = { text, ms: Number(ms) };
      statements.push(statement);
      latest.set(session, { statement, isOver: part === 'execute' || part === 'statement' });
    }
  }
  return statements;
}

/** The log of a server from now on. */
export class StatementLog {
  private readonly from: number;

  constructor(private readonly file: string) {
    this.from = fs.statSync(file).size;
  }

  /** The slowest first, each text once. */
  slowest(): (LoggedStatement & { times: number })[] {
    const byText = new Map<string, LoggedStatement & { times: number }>();
    for (const { text, ms } of statementsIn(fs.readFileSync(this.file).subarray(this.from).toString())) {
      const { ms: most = 0, times = 0 } = byText.get(text) ?? {};
      byText.set(text, { text, ms: Math.max(most, ms), times: times + 1 });
    }
    return [...byText.values()].sort((a, b) => b.ms - a.ms);
  }
}
