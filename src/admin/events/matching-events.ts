import type { Db } from '../../db/pool';
import { criteriaOf, type EventFilter, type EventPageQuery } from './event-filter';
import { findEvents, type FoundEvent } from './event-search.queries';
import { decodeCursor, encodeCursor, type ListName } from '../endpoint/paging';

const EVENTS_PER_SEARCH = 500;

/** The newest `limit` events that a filter names; `more` when there are others beyond them. */
export async function findMatching(
  db: Db,
  filter: EventFilter,
  limit: number,
): Promise<{ events: FoundEvent[]; more: boolean }> {
  const events: FoundEvent[] = [];
  let beforeId: string | undefined;
  do {
    const wanted = Math.min(EVENTS_PER_SEARCH, limit + 1 - events.length);
    const page = await findEvents(db, criteriaOf(filter, beforeId), wanted);
    events.push(...page.events);
    beforeId = page.lookedDownTo ?? undefined;
  } while (beforeId !== undefined && events.length <= limit);
  return { events: events.slice(0, limit), more: events.length > limit };
}

/** One page of a list of events, newest first. @throws Problem when the cursor is not one of this list */
export async function findPage(
  db: Db,
  list: ListName,
  query: EventPageQuery,
): Promise<{ events: FoundEvent[]; nextCursor: string | null }> {
  const criteria = criteriaOf(query, decodeCursor(list, query.cursor));
  const { events, lookedDownTo } = await findEvents(db, criteria, query.limit);
  return { events, nextCursor: lookedDownTo && encodeCursor(list, lookedDownTo) };
}
