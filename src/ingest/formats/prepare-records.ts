import { Transform, type TransformCallback } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { PrepareResult } from '../../event/prepare-event';
import type { StreamRecord } from './ndjson-records';

/** A record with its prepared event, or with its rejection. */
export interface PreparedRecord {
  /** Its bytes are at hand until its result is known, so that they can be kept if it is refused. */
  record: StreamRecord;
  made: PrepareResult;
}

/** What a record costs apart from its bytes, as a number of bytes that cost the same. */
const BYTES_PER_RECORD = 128;
/** Work between two turns of the event loop, in bytes. A chunk of ordinary records is less than this. */
const MAX_BYTES_PER_TURN = 131_072;
/** Limit of one array. A chunk of 64 KiB contains fewer records unless all of them are too short to be events. */
const MAX_RECORDS = 2_000;

/**
 * Turns arrays of records into arrays of prepared records. Lets other requests run between slices of work: one chunk
 * may contain tens of thousands of records that are refused.
 */
export class PrepareRecords extends Transform {
  constructor(private readonly prepare: (record: StreamRecord) => PrepareResult) {
    super({ objectMode: true, highWaterMark: 4 });
  }

  override _transform(records: StreamRecord[], _encoding: BufferEncoding, done: TransformCallback): void {
    this.prepareAll(records).then((prepared) => done(null, prepared), done);
  }

  private async prepareAll(records: StreamRecord[]): Promise<PreparedRecord[]> {
    let prepared: PreparedRecord[] = [];
    let work = 0;
    for (const record of records) {
      if (work > MAX_BYTES_PER_TURN) {
        await setImmediate();
        work = 0;
      }
      if (prepared.length === MAX_RECORDS) {
        this.push(prepared);
        prepared = [];
      }
      prepared.push({ record, made: this.prepare(record) });
      work += record.bytes.length + BYTES_PER_RECORD;
    }
    return prepared;
  }
}
