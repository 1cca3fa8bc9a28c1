import { Readable } from 'node:stream';
import { Problem } from '../../event/problems';
import { passes, type LiveEvent, type LiveFilter } from './live-event';

/** Events, and changes of status, that wait for a client that reads slowly. */
const MOST_WAITING = 2_000;
/** How long a client has to read why its stream has ended. */
const END_MS = 5_000;

/** Returns what a client may see as of now. @throws Problem when it may see nothing any more */
export type LiveRights = () => Promise<LiveFilter>;

/**
 * The server-sent events of one client. What a slow client has not read is bounded: the oldest events are dropped, and
 * the client is told how many. Emits `over` once when nothing more is to come.
 */
export class LiveWatcher extends Readable {
  private waiting: LiveEvent[] = [];
  private readonly changes = new Map<string, LiveEvent>();
  /** Null: an unknown number. */
  private dropped: number | null = 0;
  private notes: string[] = [];
  private isReady = false;
  private isWanted = false;
  private isOver = false;
  private ending: NodeJS.Timeout | undefined;

  constructor(
    public wanted: LiveFilter,
    private readonly correlationId: string,
    private readonly rights: LiveRights = () => Promise.resolve(wanted),
  ) {
    super();
  }

  /** Applies what the client may see as of now, also to what waits, or ends the stream. */
  async renew(): Promise<void> {
    try {
      this.wanted = await this.rights();
      this.waiting = this.waiting.filter((event) => passes(this.wanted, event));
      for (const [id, event] of this.changes) if (!passes(this.wanted, event)) this.changes.delete(id);
    } catch (error) {
      const why = 'The database is unavailable. Connect again later.';
      this.end(error instanceof Problem ? error : new Problem('storage-unavailable', why));
    }
  }

  /** Tells the client once that it sees what comes from now on. */
  ready(): void {
    if (this.isReady || this.isOver) return;
    this.isReady = true;
    this.notes.push(message('ready', {}));
    this.flush();
  }

  /** Adds new events, oldest first. `dropped`: how many more there were that nobody has read; null: unknown. */
  add(events: readonly LiveEvent[], dropped: number | null = 0): void {
    if (this.isOver) return;
    this.waiting.push(...events);
    const tooMany = Math.max(0, this.waiting.length - MOST_WAITING);
    if (tooMany > 0) this.waiting = this.waiting.slice(tooMany);
    this.dropped = this.dropped === null || dropped === null ? null : this.dropped + dropped + tooMany;
    this.flush();
  }

  /** Adds statuses that have changed. */
  change(events: readonly LiveEvent[]): void {
    if (this.isOver) return;
    for (const event of events) this.changes.set(event.id, event);
    for (const id of this.changes.keys()) {
      if (this.changes.size <= MOST_WAITING) break;
      this.changes.delete(id);
    }
    this.flush();
  }

  /** Shows the client, and proxies in between, that the connection works. */
  beat(): void {
    if (this.isOver) return;
    if (this.notes.length === 0) this.notes.push(': \n\n');
    this.flush();
  }

  /**
   * Ends the response, and says why. What waits is not sent: the client may no longer see it. A client that does not
   * read is disconnected after some seconds.
   */
  end(problem: Problem): void {
    if (this.isOver) return;
    this.isOver = true;
    this.waiting = [];
    this.changes.clear();
    this.dropped = 0;
    this.notes.push(message('end', problem.toBody(this.correlationId)));
    this.ending = setTimeout(() => this.destroy(), END_MS).unref();
    this.emit('over');
    this.flush();
  }

  override _read(): void {
    this.isWanted = true;
    this.flush();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.ending);
    done(error);
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
    const changes = [...this.changes.values()].map(({ id, status }) => ({ id, status }));
    const text =
      this.notes.join('') +
      (dropped === 0 ? '' : message('dropped', { count: dropped })) +
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
