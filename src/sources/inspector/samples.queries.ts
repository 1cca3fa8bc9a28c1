import type { Db } from '../../db/pool';
import type { RequestSample } from './request-sample';

/** A sample on its way into the table. */
export interface SampleRow {
  sourceId: string;
  id: string;
  /** The RequestSample as JSON text. */
  sample: string;
}

/** No JSON text contains it. pg would escape the elements of an array one by one. */
const SEPARATOR = '\x1f';

/**
 * Adds samples of sources that were not deleted meanwhile, and deletes all but the newest `kept` of their sources. The newest
 * one that was taken stays besides: others could hide with bad requests that a source is not silent.
 */
export async function keepSamples(db: Db, rows: readonly SampleRow[], kept: number): Promise<void> {
  await db.query({
    name: 'insert-samples',
    text: `insert into source_samples (source_id, id, sample)
           select made.source_id, made.id, made.sample::json
             from unnest($1::uuid[], $2::uuid[], string_to_array($3, E'\\x1f')) as made (source_id, id, sample)
            where exists (select from sources where sources.id = made.source_id)
            order by id
           on conflict (source_id, id) do nothing`,
    values: [
      rows.map(({ sourceId }) => sourceId),
      rows.map(({ id }) => id),
      rows.map(({ sample }) => sample).join(SEPARATOR),
    ],
  });
  await db.query({
    name: 'delete-old-samples',
    text: `
      delete from source_samples where ctid = any (array(
        select s.ctid from unnest($1::uuid[]) as of_source
          join source_samples s on s.source_id = of_source
          left join lateral (
            select v.id from source_samples v
             where v.source_id = of_source and v.sample->>'result' not in ('unverified', 'rejected', 'failed')
             order by v.id desc limit 1) taken on true
         where s.id <= (select o.id from source_samples o where o.source_id = of_source
                         order by o.id desc offset $2 limit 1)
           and s.id is distinct from taken.id
           for update of s skip locked))`,
    values: [[...new Set(rows.map(({ sourceId }) => sourceId))], kept],
  });
}

/** Deletes the samples of a source that is deleted in the same transaction. Nobody else needs them locked. */
export async function deleteSamples(db: Db, sourceId: string): Promise<void> {
  await db.query(
    `delete from source_samples where ctid = any (array(
       select ctid from source_samples where source_id = $1 order by id for update))`,
    [sourceId],
  );
}

/** Lists the samples of a source, newest first. */
export async function listSamples(db: Db, sourceId: string, limit: number): Promise<RequestSample[]> {
  const { rows } = await db.query<{ sample: string }>(
    'select sample from source_samples where source_id = $1 order by id desc limit $2',
    [sourceId, limit],
  );
  return rows.map(({ sample }) => JSON.parse(sample) as RequestSample);
}
