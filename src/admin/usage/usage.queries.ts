import type { Pool } from 'pg';
import { queryWithSettings } from '../../db/pool';
import { USAGE_PLANS } from '../../usage/usage-counting.queries';

export interface Usage {
  tenantId: string;
  /** UTC date, YYYY-MM-DD. */
  day: string;
  type: string;
  /** Accepted on this day. */
  events: number;
  bytes: number;
  /** That arrived on this day. */
  deliveries: number;
  /** Generations of events of this day whose handlers have succeeded. */
  processed: number;
  processedBytes: number;
  /** The month of the day is closed: the figures change no more. */
  closed: boolean;
}

/** Maximum number of rows in one response. */
export const MOST_ROWS = 1_000;
/** A range of years is summed within a second or two, if there are thousands of types. */
const READ_TIMEOUT_MS = 5_000;
/** With what is in no slice yet. If that takes longer, it is left out. */
const READ_WITH_REST_TIMEOUT_MS = 2_000;

export interface UsageCriteria {
  tenantId: string | null;
  /** The tenants of an operator who is bound; null for other operators. */
  tenantIds: readonly string[] | null;
  /** Inclusive, as `lastDay`. */
  firstDay: string | null;
  lastDay: string | null;
  /** The row before the page; null for the first page. */
  after: Pick<Usage, 'day' | 'tenantId' | 'type'> | null;
  limit: number;
}

/**
 * Transactions that had begun when the last month was closed have ended an hour later. The months before it were closed
 * before.
 */
const CLOSED = `coalesce((
  select of_day.day < open_from
         and (since < now() - interval '1 hour'
              or of_day.day <= open_from - 1 - extract(day from open_from - 1)::integer)
    from usage_close), false)`;

/**
 * Lists usage by tenant, day and type, newest day first. A null criterion matches every row.
 * @param withRest also counts the events and attempts that are in no slice yet
 * @throws the error of a cancelled statement after five seconds, `withRest` after two
 */
export async function listUsage(
  pool: Pool,
  { tenantId, tenantIds, firstDay, lastDay, after, limit }: UsageCriteria,
  withRest: boolean,
): Promise<Usage[]> {
  const timeoutMs = withRest ? READ_WITH_REST_TIMEOUT_MS : READ_TIMEOUT_MS;
  const settings = `${withRest ? `${USAGE_PLANS}; ` : ''}set local statement_timeout = ${timeoutMs}`;
  const { rows } = await queryWithSettings<Usage>(pool, settings, {
    text: `select tenant_id as "tenantId", to_char(day, 'YYYY-MM-DD') as day, type,
            events::float8 as events, bytes::float8 as bytes, deliveries::float8 as deliveries,
            processed::float8 as processed, processed_bytes::float8 as "processedBytes", ${CLOSED} as closed
       from ${withRest ? 'usage_figures' : 'usage_counted'} of_day
      where ($1::text is null or tenant_id = $1) and ($8::text[] is null or tenant_id = any ($8))
        and ($2::date is null or day >= $2) and ($3::date is null or day <= $3)
        and ($4::date is null or day < $4 or day = $4 and (tenant_id, type) > ($5::text, $6::text))
      order by of_day.day desc, tenant_id, type limit $7`,
    values: [tenantId, firstDay, lastDay, after?.day, after?.tenantId, after?.type, limit, tenantIds],
  });
  return rows;
}
