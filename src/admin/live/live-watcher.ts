import { Readable } from 'node:stream';
import type { Problem } from '../../event/problems';
import type { LiveEvent, LiveFilter } from './live-event';

/** Events, and changes of status, that wait for a client that reads slowly. */
const MOST_WAITING = 2_000;

/**
 * The server-sent events of one client. What a slow client has not read is bounded: the oldest events are dropped, and
 * the client is told how many.
 */
export class LiveWatcher extends Readable {
  private waiting: LiveEvent[] = [];
  private readonly changes = new Map<string, LiveEvent['status']>();
  private dropped = 0;
  private notes: string[] = [];
  private isReady = false;
  private isWanted = false;
  private isOver = false;

  constructor(
    readonly wanted: LiveFilter,
    private readonly correlationId: string,
  ) {
    super();
  }

  /** Tells the client once that it sees what comes from now on. */
  ready(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.notes.push(message('ready', {}));
    this.flush();
  }

  /** Adds new events, oldest first. `dropped`: how many more there were that nobody has read. */
  add(events: readonly LiveEvent[], dropped = 0): void {
    this.waiting.push(...events);
    const tooMany = Math.max(0, this.waiting.length - MOST_WAITING);
    if (tooMany > 0) this.waiting = this.waiting.slice(tooMany);
    this.dropped += dropped + tooMany;
    this.flush();
  }

  /** Adds statuses that have changed. */
  change(events: readonly LiveEvent[]): void {
    for (const { id, status } of events) this.changes.set(id, status);
    for (const id of this.changes.keys()) {
      if (this.changes.size <= MOST_WAITING) break;
      this.changes.delete(id);
    }
    this.flush();
  }

  /** Shows the client, and proxies in between, that the connection works. */
  beat(): void {
    if (this.notes.length === 0) this.notes.push(': \n\n');
    this.flush();
  }

  /** Ends the response, and says why. */
  end(problem: Problem): void {
    if (this.isOver) return;
    this.notes.push(message('end', problem.toBody(this.correlationId)));
    this.isOver = true;
    this.flush();
  }

  override _read(): void {
    this.isWanted = true;
    this.flush();
  }

  private flush(): void {
    if (!this.isWanted || this.destroyed) return;
    const text = this.taken();
    if (text === '') return;
    this.isWanted = false;
    this.push(text);
    if (this.isOver) this.push(null); // nothing is wanted after that
  }

  private taken(): string {
    const { waiting: events, dropped } = this;
    const changes = [...this.changes].map(([id, status]) => ({ id, status }));
    const text =
      this.notes.join('') +
      (dropped > 0 ? message('dropped', { count: dropped }) : '') +
      (events.length > 0 ? message('events', { events }) : '') +
      (changes.length > 0 ? message('statuses', { statuses: changes }) : '');
    this.notes = [];
    this.waiting = [];
    this.changes.clear();
    this.dropped = 0;
    return text;
  }
}

/** JSON has no line breaks, so one `data` line is enough. */
const message = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
