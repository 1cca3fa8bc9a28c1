import type { Db } from '../db/pool';
import { criteriaOf, type EventFilter } from './event-filter';
import { findEvents, type FoundEvent } from './event-search.queries';

const PAGE = 500;

/** The newest `limit` events that a filter names; `more` when there are others beyond them. */
export async function findMatching(
  db: Db,
  filter: EventFilter,
  limit: number,
): Promise<{ events: FoundEvent[]; more: boolean }> {
  const events: FoundEvent[] = [];
  let beforeId: string | undefined;
  do {
    const wanted = Math.min(PAGE, limit + 1 - events.length);
    const page = await findEvents(db, criteriaOf(filter, beforeId), wanted);
    events.push(...page.events);
    beforeId = page.lookedDownTo ?? undefined;
  } while (beforeId !== undefined && events.length <= limit);
  return { events: events.slice(0, limit), more: events.length > limit };
}
