import type { ClientBase, QueryConfig } from 'pg';
import type { SessionFacts, SessionSettings } from './session-needs';

/**
 * Reads what the session is. If the connection leads straight to the server process `pid`, the session is first given
 * `settings`. Through a pooler it is not: others may use that session next.
 */
export async function prepareAndReadSession(
  db: Pick<ClientBase, 'query'>,
  pid: number | null,
  settings: SessionSettings,
  timeoutMs: number,
): Promise<SessionFacts> {
  const statement: QueryConfig & { query_timeout: number } = {
    text: `
      with prepared as materialized (
        select jsonb_object_agg(name, case when pg_backend_pid() = $1::int then set_config(name, value, false)
                                           else current_setting(name, true) end) as settings
          from unnest($2::text[], $3::text[]) as wanted (name, value))
      select pg_backend_pid() as pid, current_setting('server_encoding') as "serverEncoding",
             current_setting('search_path') as "searchPath", current_schema()::text as schema, settings
        from prepared`,
    values: [pid, [...settings.keys()], [...settings.values()]],
    query_timeout: timeoutMs,
  };
  const { rows } = await db.query<SessionFacts>(statement);
  return rows[0] as SessionFacts;
}
