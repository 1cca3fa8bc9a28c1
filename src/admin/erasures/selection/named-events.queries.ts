import type { Db } from '../../../db/pool';

/** Most names that a response lists of those that no event has. */
const MOST_NAMED_MISSING = 100;

export interface NamedEvents {
  /** Ids of ours, each once, lowest first. One more than `most` if there are too many. */
  ids: string[];
  notFound: NotFound;
}

/** The names that no event of the tenant has. */
export interface NotFound {
  count: number;
  /** The first of them, in the order of the request. */
  names: string[];
}

export const NOTHING_MISSING: NotFound = { count: 0, names: [] };

interface Found {
  id: string;
  eventId: string;
}

/**
 * Finds all events of a tenant that one of the names stands for, as their id or as the producer's eventId. An eventId may
 * have several events: CloudEvents of several sources, and later ones once retention has dropped its key.
 */
export async function findNamedEvents(
  db: Db,
  tenantId: string,
  names: readonly string[],
  most: number,
): Promise<NamedEvents> {
  const { rows: byId } = await db.query<Found>(
    `select e.id, e.event_id as "eventId" from events e
      where e.tenant_id = $1
        and e.id = any (array(select t::uuid from unnest($2::text[]) t
                               where t ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'))`,
    [tenantId, names],
  );
  const { rows: byEventId } = await db.query<Found>(
    'select e.id, e.event_id as "eventId" from events e where e.tenant_id = $1 and e.event_id = any ($2) limit $3',
    [tenantId, names, most + 1],
  );
  const ids = [...new Set([...byId, ...byEventId].map(({ id }) => id))].sort();
  return { ids: ids.slice(0, most + 1), notFound: missingAmong(names, byId, byEventId) };
}

function missingAmong(names: readonly string[], byId: readonly Found[], byEventId: readonly Found[]): NotFound {
  const ids = new Set(byId.map(({ id }) => id));
  const eventIds = new Set(byEventId.map(({ eventId }) => eventId));
  const missing = [...new Set(names)].filter((name) => !eventIds.has(name) && !ids.has(name.toLowerCase()));
  return { count: missing.length, names: missing.slice(0, MOST_NAMED_MISSING) };
}
