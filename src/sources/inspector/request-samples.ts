import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { reportOutage } from '../../db/outages';
import type { RequestSample } from './request-sample';
import { keepSamples, type SampleRow } from './samples.queries';

/** Samples that are kept of each source. */
export const KEPT_SAMPLES = 50;
const WRITE_AFTER_MS = 500;
/** Sources whose samples wait at a time. Further ones are not sampled until the next write. */
const MAX_SOURCES = 1_000;

interface MadeLater {
  make: () => RequestSample;
  isTaken: boolean;
}

/** What waits of one source. `taken`: the newest one that was taken among those that newer ones have replaced. */
interface Waiting {
  newest: MadeLater[];
  taken: MadeLater | undefined;
}

/**
 * Keeps the last requests of each source for the inspector. A request costs an entry in a list: rows are written twice a
 * second at most, and of a burst only its last 50 and the last one that was taken. A sample may be lost; what it tells of is stored elsewhere.
 */
@Injectable()
export class RequestSamples implements OnApplicationShutdown {
  private readonly logger = new Logger('Sources');
  private waiting = new Map<string, Waiting>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly pool: Pool) {}

  /** @param make makes the sample when it is written; what it holds must be small */
  note(sourceId: string, make: () => RequestSample, isTaken: boolean): void {
    let ofSource = this.waiting.get(sourceId);
    if (!ofSource) {
      if (this.waiting.size >= MAX_SOURCES) return;
      ofSource = { newest: [], taken: undefined };
      this.waiting.set(sourceId, ofSource);
    }
    ofSource.newest.push({ make, isTaken });
    const oldest = ofSource.newest.length > KEPT_SAMPLES ? ofSource.newest.shift() : undefined;
    if (oldest?.isTaken) ofSource.taken = oldest;
    this.timer ??= setTimeout(() => void this.write(), WRITE_AFTER_MS).unref();
  }

  /** Writes what waits, so that a list of this process is complete. */
  write(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.waiting;
    this.waiting = new Map();
    this.writing = this.writing.then(() => this.writeBatch(batch));
    return this.writing;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.write();
  }

  private async writeBatch(batch: ReadonlyMap<string, Waiting>): Promise<void> {
    const rows = [...batch].flatMap(([sourceId, { newest, taken }]) =>
      [...(taken ? [taken] : []), ...newest].map(({ make }) => rowOf(sourceId, make())),
    );
    if (rows.length === 0) return;
    try {
      await keepSamples(this.pool, rows, KEPT_SAMPLES);
    } catch (error) {
      if (reportOutage(error)) return;
      this.logger.warn({ msg: 'sources.samples-lost', samples: rows.length, err: error });
    }
  }
}

/** PostgreSQL's json takes no U+0000. A lone surrogate would not survive the way there. */
function rowOf(sourceId: string, sample: RequestSample): SampleRow {
  return { sourceId, id: sample.id, sample: JSON.stringify(sample, wellFormed).replaceAll('\\u0000', '\\ufffd') };
}

function wellFormed(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
