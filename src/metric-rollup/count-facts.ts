import { sliceOf } from './facts';
import { SLICE_SECONDS } from './steps';

/**
 * Returns SQL for the number of rows of each slice that the facts are made from, in a number of ranges: from $1 on and
 * before $2, from $3 on and before $4, and so on. Each table is read once for all of them. Columns: at, n.
 */
export function countFacts(ranges: number): string {
  const bounds = Array.from({ length: ranges }, (_, i) => [`$${2 * i + 1}::timestamptz`, `$${2 * i + 2}::timestamptz`]);
  const isIn = (instant: string): string =>
    bounds.map(([from, to]) => `(${instant} >= ${from} and ${instant} < ${to})`).join(' or ');
  const rowsIn = (table: string, instant: string): string =>
    `select ${sliceOf(instant)}, count(*) from ${table} where ${isIn(instant)} group by 1`;
  return `
  select at, sum(n)::bigint as n
    from (select s.at, ids.n
            from (values ${bounds.map(([from, to]) => `(${from}, ${to})`).join(', ')}) r (since, until)
           cross join lateral generate_series(r.since, r.until - ${SLICE}, ${SLICE}) s (at)
           cross join lateral (
             select (select count(*) from events e where ${hasIdInSlice('e.id')})
                  + (select count(*) from rejections r where ${hasIdInSlice('r.id')}) as n
           ) ids
          union all ${rowsIn('processing_attempts', 'created_at')}
          union all ${rowsIn('delivery_attempts', 'at')}
          union all ${rowsIn('delivery_closings', 'at')}) each
   group by at`;
}

const SLICE = `interval '${SLICE_SECONDS} seconds'`;

function hasIdInSlice(id: string): string {
  return `${id} >= uuid_v7_floor(s.at) and ${id} < uuid_v7_floor(s.at + ${SLICE})`;
}
