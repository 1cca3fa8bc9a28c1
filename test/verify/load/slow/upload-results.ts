import { isLater, type SummaryCounts, type Told } from '../sending';

interface Line {
  record?: number;
  /** Of a record: what became of it. Of the last line: the HTTP status, if the stream broke off. */
  status?: string | number;
  code?: string;
  id?: string;
  eventId?: string;
  summary?: SummaryCounts;
  lastCommittedRecord?: number;
}

/**
 * What the results of an upload say so far. `later`: it has to be sent again, and what is committed was said truly.
 * `incomplete`: the last line is missing.
 */
export type Verdict = 'complete' | 'later' | 'strange' | 'incomplete';

/** Reads the results of an upload that repeats its events, and remembers what is new in them. */
export class UploadResults {
  readonly told: Told[] = [];
  /** The first line that must not be there. */
  wrong: string | undefined;
  private readonly ids = new Map<string, string | undefined>();
  private readonly counts: SummaryCounts = { records: 0, accepted: 0, duplicates: 0, rejected: 0 };
  private last: Line | undefined;
  private rest = '';

  /** @param names of the events. @param records that were sent */
  constructor(
    private readonly names: readonly string[],
    private readonly records: number,
  ) {}

  /** Takes the next text of the response, which may end inside a line. */
  take(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.takeLine(line);
  }

  get verdict(): Verdict {
    const { last, counts } = this;
    if (this.wrong !== undefined) return 'strange';
    if (!last) return 'incomplete';
    const { status, summary, lastCommittedRecord } = last;
    const isTrue = summary && Object.entries(counts).every(([name, n]) => summary[name as keyof SummaryCounts] === n);
    if (!isTrue) return 'strange';
    if (status === undefined) return counts.records === this.records ? 'complete' : 'strange';
    return isLater(Number(status)) && lastCommittedRecord === counts.records ? 'later' : 'strange';
  }

  /** The last line, and what the lines before it amount to. */
  describe(): string {
    return `${this.wrong ?? JSON.stringify(this.last)} after ${JSON.stringify(this.counts)}`;
  }

  private takeLine(text: string): void {
    const line = JSON.parse(text) as Line;
    const { record, status, code, id, eventId } = line;
    if (record === undefined) {
      this.last = line;
      return;
    }
    const at = (record - 1) % this.names.length;
    const name = this.names[at];
    const isExpected = record === this.counts.records + 1 && !this.last && name !== undefined;
    if (!isExpected || !this.count(status)) {
      this.wrong ??= text;
      return;
    }
    const isNew = status !== 'duplicate' || !this.ids.has(name) || this.ids.get(name) !== id;
    this.ids.set(name, id);
    if (!isNew) return;
    const told = { record: at + 1, name, outcome: status as Told['outcome'] };
    this.told.push(code === undefined ? { ...told, fields: { id, eventId } } : { ...told, code });
  }

  private count(status: string | number | undefined): boolean {
    this.counts.records += 1;
    if (status === 'accepted') this.counts.accepted += 1;
    else if (status === 'duplicate') this.counts.duplicates += 1;
    else if (status === 'rejected') this.counts.rejected += 1;
    else return false;
    return true;
  }
}
