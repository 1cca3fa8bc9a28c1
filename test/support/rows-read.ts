import type { Db } from '../../src/db/pool';

interface Plan {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

export interface Statement {
  text: string;
  values: unknown[];
}

/** Runs `work` and returns its statements, without those that have no values. */
export async function statementsOf(db: Db, work: (db: Db) => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  const query = (statement: string | Statement, values: unknown[] = []) => {
    const asked = typeof statement === 'string' ? { text: statement, values } : statement;
    if (asked.values.length > 0) statements.push(asked);
    return asked.values.length > 0 ? db.query(asked) : db.query(asked.text);
  };
  await work({ query } as unknown as Db);
  return statements;
}

/** Runs a statement. Returns how many rows its scans of tables and indexes have read. */
export async function rowsReadBy(db: Db, { text, values }: Statement): Promise<number> {
  const { rows } = await db.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, timing off, format json) ${text}`,
    values,
  );
  const [explained] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '') as [{ Plan: Plan }];
  return rowsRead(explained.Plan);
}

/**
 * Runs `work` and returns how many rows its statements have read, with the settings that it makes. It gets no rows back.
 * Statements without values are left as they are.
 */
export async function rowsReadWhile(db: Db, work: (db: Db) => Promise<unknown>): Promise<number> {
  let read = 0;
  const query = async (statement: string | Statement, values: unknown[] = []): Promise<{ rows: unknown[] }> => {
    const asked = typeof statement === 'string' ? { text: statement, values } : statement;
    if (asked.values.length === 0) return db.query(asked.text);
    read += await rowsReadBy(db, asked);
    return { rows: [] };
  };
  await work({ query } as unknown as Db);
  return read;
}

function rowsRead({ Plans = [], ...node }: Plan): number {
  const each =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const own = /^(Seq|Index|Index Only|Bitmap Heap) Scan$/.test(node['Node Type']) ? each * node['Actual Loops'] : 0;
  return Plans.reduce((sum, plan) => sum + rowsRead(plan), own);
}
