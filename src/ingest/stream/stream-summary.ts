import type { RecordRejection } from '../../event/prepare-event';
import type { ProblemCode } from '../../event/problems';
import type { IngestResult } from '../store/store-batch';

const MAX_LISTED_ERRORS = 100;

interface RecordError {
  record: number;
  code: ProblemCode;
  message: string;
  pointer?: string;
  kept?: false;
}

/** Counts the results of the records of one stream. records = accepted + duplicates + rejected always holds. */
export class StreamSummary {
  private accepted = 0;
  private duplicates = 0;
  private rejected = 0;
  private allKept = true;
  private readonly errors: RecordError[] = [];
  /** Number of the last record whose result is final. Records up to it need not be sent again. */
  lastCommittedRecord = 0;

  /** @param isKept false for a rejected record that is not known to be kept */
  add(record: number, result: IngestResult, isKept: boolean): void {
    this.lastCommittedRecord = record;
    if (result.kind === 'accepted') this.accepted += 1;
    else if (result.kind === 'duplicate') this.duplicates += 1;
    else {
      this.rejected += 1;
      this.allKept &&= isKept;
      if (this.errors.length < MAX_LISTED_ERRORS) this.errors.push(errorOf(record, result.rejection, isKept));
    }
  }

  get status(): 'accepted' | 'partial' | 'rejected' {
    if (this.rejected === 0) return 'accepted';
    return this.accepted + this.duplicates > 0 ? 'partial' : 'rejected';
  }

  counts(bytes: number): Record<string, number | false> {
    const { accepted, duplicates, rejected } = this;
    const counts = { records: accepted + duplicates + rejected, accepted, duplicates, rejected, bytes };
    return this.allKept ? counts : { ...counts, kept: false };
  }

  toBody(bytes: number, correlationId: string): Record<string, unknown> {
    return {
      status: this.status,
      summary: this.counts(bytes),
      errors: this.errors,
      errorsTruncated: this.rejected > this.errors.length,
      correlationId,
    };
  }
}

function errorOf(record: number, { code, message, errors }: RecordRejection, isKept: boolean): RecordError {
  const pointer = errors[0]?.pointer;
  return {
    record,
    code,
    message: message.trim(),
    ...(pointer === undefined ? {} : { pointer }),
    ...(isKept ? {} : { kept: false }),
  };
}
