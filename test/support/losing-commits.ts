import type { Pool, PoolClient } from 'pg';

export interface LostCommits {
  /** Whether the connection is lost before or after PostgreSQL has carried out the commit. */
  when: 'before' | 'after';
  /** How many commits are lost. */
  times: number;
  /** Loses only commits of transactions that have a statement with this text. */
  having?: string;
}

/** A pool whose connections fail at commits. */
export function losingCommits(pool: Pool, { when, times, having = '' }: LostCommits): Pool {
  let left = times;
  const connected = async (): Promise<PoolClient> => {
    const client = await pool.connect();
    let isAffected = having === '';
    const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
    const lose = async (statement: unknown, values: unknown[] | undefined): Promise<unknown> => {
      if (typeof statement === 'string' && having !== '' && statement.includes(having)) isAffected = true;
      if (statement !== 'commit' || left === 0 || !isAffected) return query(statement, values);
      left -= 1;
      await query(when === 'after' ? 'commit' : 'rollback');
      throw new Error('Connection terminated unexpectedly');
    };
    return new Proxy(client, {
      get: (target, name) => {
        if (name === 'query') return lose;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
  type Connected = Parameters<Pool['connect']>[0];
  // Pool.query connects with a callback. It commits nothing.
  const connect = (done?: Connected): unknown => (done ? pool.connect(done) : connected());
  return Object.assign(Object.create(pool) as Pool, { connect });
}
