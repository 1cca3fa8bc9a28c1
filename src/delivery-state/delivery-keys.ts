import { PARKED } from '../db/parked';
import type { DeliveryKey } from './delivery';

/** The values of $1 to $3 in a statement about these deliveries. */
export function keyValues(keys: readonly DeliveryKey[]): [string[], string[], number[]] {
  return [
    keys.map(({ eventId }) => eventId),
    keys.map(({ destinationId }) => destinationId),
    keys.map(({ generation }) => generation),
  ];
}

/**
 * Whether the row of `table` is one of the deliveries in $1 to $3. The first condition lets PostgreSQL find the rows by
 * their index and leave out the partitions of other weeks.
 */
export const isOneOf = (table: string): string => `(${table}.event_id = any ($1::uuid[])
  and (${keyOf(table)}) in (select * from unnest($1::uuid[], $2::uuid[], $3::integer[])))`;

/**
 * The key of the row of `table`. Every statement locks deliveries in this order. It locks a row of the queue only while it
 * holds the delivery of that row, or skips rows that are locked.
 */
export const keyOf = (table: string): string => `${table}.event_id, ${table}.destination_id, ${table}.generation`;

export const hasSameKey = (a: string, b: string): string => `(${keyOf(a)}) = (${keyOf(b)})`;

/** Whether the same destination has a newer delivery than the one in `table`. */
export const isSuperseded = (table: string): string => `exists (
  select from deliveries newer
   where newer.event_id = ${table}.event_id and newer.destination_id = ${table}.destination_id
     and newer.generation > ${table}.generation)`;

/**
 * The same, for a search among many. Generations count from 1, and those above have an index of their own, which is small
 * where little was replayed.
 */
export const isReplaced = (table: string): string => `exists (
  select from deliveries newer
   where newer.event_id = ${table}.event_id and newer.destination_id = ${table}.destination_id
     and newer.generation > ${table}.generation and newer.generation > 1)`;

/** Always true. A statement that reads the queue by destination needs it to use the index of due deliveries. */
export const isInDueOrder = (queue: string): string => `${queue}.due_at > '-infinity'`;

/** Whether the delivery of this row of the queue waits for others of its key. */
export const isParked = (queue: string): string => `${queue}.due_at = ${PARKED}`;

/** Whether nobody is sending the delivery of this row of the queue. A lease that has expired holds nothing. */
export const isFree = (queue: string): string => `(${queue}.lease is null or ${queue}.due_at <= now())`;
