import { eventBody } from '../support/events';
import { eventually } from '../support/eventually';
import { getEvent, postEvent } from '../support/e2e-http';

const AT_ONCE = 16;
/** A producer goes on for as long as a failover may take on a busy machine. */
const LONGEST_MS = 120_000;
const NOT_FOUND = 404;

/** An event as its producer keeps it. */
export interface Sent {
  tenantId: string;
  body: string;
  headers: Record<string, string>;
}

/** What became of events that were sent again. */
export interface SentAgain {
  /** Stored as new events, as those that the database has lost must be. */
  accepted: number;
  /** Called duplicates of the event that was acknowledged, which the database has. */
  trueDuplicates: number;
  /** Anything else. */
  wrong: string[];
}

/** Makes events with an own id, with an idempotency key, and with neither, in turn. */
export function eventsOf(part: string, count: number): Sent[] {
  return Array.from({ length: count }, (_, i) => {
    const ownId: object = i % 3 === 0 ? { eventId: `${part}-${i}` } : {};
    const headers: Record<string, string> = i % 3 === 1 ? { 'x-idempotency-key': `${part}-${i}` } : {};
    return { tenantId: 'acme', body: JSON.stringify(eventBody({ subject: `${part} ${i}`, ...ownId })), headers };
  });
}

/** Makes events of a tenant whose producer keeps nothing. Every second one has an own id. */
export function forgettingEvents(tenantId: string, part: string, count: number): Sent[] {
  return Array.from({ length: count }, (_, i) => {
    const ownId: object = i % 2 === 0 ? { eventId: `${part}-${i}`, occurredAt: '2026-01-01T12:00:00.5+02:00' } : {};
    const payload = { amount: 10, note: 'two "lines"\nä' };
    const body = JSON.stringify(eventBody({ subject: `${part} ${i}`, payload, ...ownId }), null, 1);
    return { tenantId, body, headers: {} };
  });
}

/** Remembers the newest id under which each event was acknowledged, and sends again what is answered 5xx. */
export class Producer {
  private readonly ids = new Map<Sent, string>();
  private answers = 0;

  constructor(private readonly url: string) {}

  /** The number of 2xx responses so far. */
  get acknowledgements(): number {
    return this.answers;
  }

  idsOf(events: readonly Sent[]): string[] {
    return events.map((event) => this.ids.get(event) ?? 'none');
  }

  /** Returns how many were accepted, and how many were duplicates. */
  async send(events: readonly Sent[]): Promise<{ accepted: number; duplicates: number }> {
    const answers = await inParallel(events, async (event) => {
      const answer = await this.acknowledged(event);
      this.ids.set(event, answer.id);
      return answer;
    });
    const accepted = answers.filter(({ status }) => status === 202).length;
    return { accepted, duplicates: answers.length - accepted };
  }

  /** Returns the acknowledged events that cannot be found under their id. */
  async lostOf(events: readonly Sent[]): Promise<Sent[]> {
    const isLost = await inParallel(events, async (event) => {
      const id = this.ids.get(event);
      if (id === undefined) throw new Error(`${event.body} was never acknowledged`);
      const status = await eventually(async () => {
        const answer = await getEvent(this.url, event.tenantId, id);
        if (answer.status >= 500) throw new Error(`GET ${id}: ${answer.status}`);
        return answer.status;
      }, LONGEST_MS);
      return status === NOT_FOUND;
    });
    return events.filter((_, i) => isLost[i]);
  }

  /** Sends events again, whether they are lost or not. */
  async sendAgain(events: readonly Sent[], lost: ReadonlySet<Sent>): Promise<SentAgain> {
    const before = new Map(this.ids);
    const used = new Set(before.values());
    const result: SentAgain = { accepted: 0, trueDuplicates: 0, wrong: [] };
    await inParallel(events, async (event) => {
      const { status, id } = await this.acknowledged(event);
      const isNew = status === 202 && !used.has(id);
      const isTrue = status === 200 && id === before.get(event);
      if (lost.has(event) && isNew) result.accepted += 1;
      else if (!lost.has(event) && isTrue) result.trueDuplicates += 1;
      else result.wrong.push(`${event.body}: ${status} ${id}, before ${before.get(event)}`);
      this.ids.set(event, id);
    });
    const still = await this.lostOf(events);
    result.wrong.push(...still.map((event) => `${event.body}: acknowledged again, and not found`));
    return result;
  }

  private acknowledged({ tenantId, body, headers }: Sent): Promise<{ status: number; id: string }> {
    return eventually(async () => {
      const answer = await postEvent(this.url, tenantId, body, headers);
      if (answer.status >= 300) throw new Error(`POST: ${answer.status} ${answer.text}`);
      this.answers += 1;
      return { status: answer.status, id: answer.body.id };
    }, LONGEST_MS);
  }
}

/** Does so many at a time, and keeps their order. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const turn = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as Item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
  return results;
}
