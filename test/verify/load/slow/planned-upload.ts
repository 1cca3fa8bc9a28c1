import { planEvent, type PlannedEvent } from '../planned-event';
import { SeededRandom, seedFor } from '../random';
import type { Tenant } from '../tenants';

/**
 * How a client reads the results of its upload: not at all; only when it has sent everything, or cannot go on; or from the
 * beginning, but slowly.
 */
export const MANNERS = ['never', 'late', 'slowly'] as const;
export type Manner = (typeof MANNERS)[number];

/** A stream with few events, each of them many times over: there is much to read, and little to store. */
export interface PlannedUpload {
  manner: Manner;
  tenant: Tenant;
  events: readonly PlannedEvent[];
  /** How often the events are repeated. */
  times: number;
  /** A late reader begins when nothing was taken from it for this long. */
  lateMs: number;
}

const TENANT = 'south';
const EVENTS = 25;
/** The results have about 340 bytes each, together 7 MB. Two sockets hold 4 MB, and memory a quarter; the rest waits on disk. */
const TIMES = 800;
/** The system takes all of an upload at once. This is time to process it, and well before a reader loses its connection. */
const LATE_MS = 2_500;
const LONG_ID = 'i'.repeat(220);

/** @param number of the fault */
export function planUpload(seed: number, number: number, manner: Manner): PlannedUpload {
  const random = new SeededRandom(seedFor(seed, `upload ${number} read ${manner}`));
  const events = Array.from({ length: EVENTS }, (_, n) => {
    const name = `${TENANT}-${manner}-${number}-${n}`;
    return withLongId(planEvent(random, { name, n, tenant: TENANT, identity: 'event-id', form: 'json' }));
  });
  return { manner, tenant: TENANT, events, times: TIMES, lateMs: LATE_MS };
}

/** Results name the id of the event. */
function withLongId(event: PlannedEvent): PlannedEvent {
  const eventId = `${event.name}-${LONG_ID}`;
  const text = event.text.replace(`"eventId":"${event.name}"`, `"eventId":"${eventId}"`);
  return { ...event, text, expected: { ...event.expected, eventId, sizeBytes: Buffer.byteLength(text) } };
}
