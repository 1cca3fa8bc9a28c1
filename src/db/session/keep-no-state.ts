import type { ClientBase, QueryConfig, QueryResult } from 'pg';
import type { SessionSettings } from './session-needs';

type Callback = (error: Error | undefined, result?: QueryResult) => void;
type Send = (statement: QueryConfig) => Promise<QueryResult>;

const BEGINS = /^\s*(begin|start\s+transaction)\b/i;
/** Not `rollback to savepoint`. */
const ENDS = /^\s*(commit|end|abort|rollback(?!\s+(work\s+|transaction\s+)?to))\b/i;
const HAS_ISOLATION = /\bisolation\b/i;

const stateless = new WeakSet<ClientBase>();

/** True if a pooler is in front of PostgreSQL. */
export const keepsNoState = (client: ClientBase): boolean => stateless.has(client);

/**
 * Makes the client work behind a pooler that may run each transaction in another session: every transaction begins with
 * its settings, a statement outside of a transaction gets one of its own (in the same round trip, because the client
 * pipelines), and prepared statements have no names. Statements that PostgreSQL refuses in a transaction, such as
 * `vacuum`, do not work.
 */
export function keepNoState(client: ClientBase, settings: SessionSettings): void {
  const send = client.query.bind(client) as unknown as Send;
  const apply = applyLocally(client, settings);
  let isOpen = false;

  function run({ name: _name, ...statement }: QueryConfig): Promise<QueryResult> {
    if (BEGINS.test(statement.text)) {
      isOpen = true;
      return send({ ...statement, text: beginWith(statement.text, apply) });
    }
    if (ENDS.test(statement.text)) {
      isOpen = false;
      return send(statement);
    }
    return isOpen ? send(statement) : inOwnTransaction(statement);
  }

  async function inOwnTransaction(statement: QueryConfig): Promise<QueryResult> {
    const [begun, answered, committed] = await Promise.allSettled([
      send({ text: beginWith('begin', apply) }),
      send(statement),
      send({ text: 'commit' }), // rolls back when the statement failed
    ]);
    if (begun.status === 'rejected') throw begun.reason;
    if (answered.status === 'rejected') throw answered.reason;
    if (committed.status === 'rejected') throw committed.reason;
    return answered.value;
  }

  function query(
    sent: string | QueryConfig,
    values?: unknown[],
    callback?: Callback,
  ): Promise<QueryResult> | undefined {
    const statement = typeof sent === 'string' ? { text: sent } : sent;
    const answered = run(values === undefined ? statement : { ...statement, values });
    if (!callback) return answered;
    answered.then((result) => callback(undefined, result), callback);
    return undefined;
  }
  Object.assign(client, { query });
  stateless.add(client);
}

/** The statement that applies the settings until the transaction ends. */
function applyLocally(client: ClientBase, settings: SessionSettings): string {
  const calls = [...settings].map(
    ([name, value]) => `set_config(${client.escapeLiteral(name)}, ${client.escapeLiteral(value)}, true)`,
  );
  return `select ${calls.join(', ')}`;
}

/**
 * Adds the settings to the text that begins a transaction, before what follows it there. The isolation is named, because
 * a default that is set later does not count.
 */
export function beginWith(text: string, apply: string): string {
  const [begin = '', ...rest] = text.split(';');
  const isolated = HAS_ISOLATION.test(begin) ? begin : `${begin.trimEnd()} isolation level read committed`;
  const further = rest.join(';').trim();
  return `${isolated}; ${apply}${further === '' ? '' : `; ${further}`}`;
}
