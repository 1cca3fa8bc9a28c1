import { eventJson, type Event } from '../event/event';

/** An event with the payload and the hash of a revision; null: as it was sent. */
export type RevisedEvent = Event & { revision: number | null };

/** The JSON text of an event as destinations get it. */
export const revisedEventJson = (event: RevisedEvent): string =>
  eventJson(event, event.revision === null ? {} : { revision: event.revision });

/** The `webhook-id` of deliveries. A receiver that remembers ids takes each revision. */
export const webhookIdOf = (id: string, revision: number | null | undefined): string =>
  revision === null || revision === undefined ? id : `${id}.${revision}`;
