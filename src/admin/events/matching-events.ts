import type { ActingOperator } from '../../access/acting-operator';
import type { Db } from '../../db/pool';
import { countNamed, type NamedCounts } from './event-conditions.queries';
import { criteriaOf } from './event-criteria';
import type { EventFilter, EventPageQuery } from './event-filter';
import { findEvents, type FoundEvent } from './event-search.queries';
import { decodeCursor, encodeCursor, type ListName } from '../endpoint/paging';

const EVENTS_PER_SEARCH = 500;

/** Finds the newest `limit` events that match the filter of an operator. `more` is true when the filter matches further events. */
export async function findMatching(
  db: Db,
  filter: EventFilter,
  acting: ActingOperator,
  limit: number,
): Promise<{ events: FoundEvent[]; more: boolean }> {
  const events: FoundEvent[] = [];
  let beforeId: string | undefined;
  do {
    const wanted = Math.min(EVENTS_PER_SEARCH, limit + 1 - events.length);
    const page = await findEvents(db, criteriaOf(filter, acting, beforeId), wanted);
    events.push(...page.events);
    beforeId = page.lookedDownTo ?? undefined;
  } while (beforeId !== undefined && events.length <= limit);
  return { events: events.slice(0, limit), more: events.length > limit };
}

/** Finds one page of events, newest first. @throws Problem `invalid-request` when the cursor is not of this list */
export async function findPage(
  db: Db,
  list: ListName,
  query: EventPageQuery,
  acting: ActingOperator,
): Promise<{ events: FoundEvent[]; nextCursor: string | null }> {
  const criteria = criteriaOf(query, acting, decodeCursor(list, query.cursor));
  const { events, lookedDownTo } = await findEvents(db, criteria, query.limit);
  return { events, nextCursor: lookedDownTo && encodeCursor(list, lookedDownTo) };
}

/** Returns a count of what the `eventIds` of a filter name; undefined for a filter without them. */
export function namedBy(
  filter: Omit<EventFilter, 'status'>,
  acting: ActingOperator,
): ((db: Db) => Promise<NamedCounts>) | undefined {
  return filter.eventIds && ((db) => countNamed(db, criteriaOf({ ...filter, status: undefined }, acting)));
}
