import type { RecordRejection } from '../../../event/prepare-event';
import type { Rejection } from '../../../rejections/rejection';
import type { Resubmitted } from '../../../rejections/settle-rejections.queries';
import type { ChangeCounts } from '../../audit/audit.queries';

/** How many rejections that are refused again a response shows. */
const MOST_SHOWN = 10;
const REJECTED = 'rejected:';

/** A rejection that is refused again. */
export interface RefusedAgain {
  id: string;
  code: string;
  pointer: string | null;
  message: string;
}

/** What became of rejections that were resubmitted, or would become of them. */
export class ResubmissionOutcome {
  resubmitted = 0;
  duplicates = 0;
  skipped = 0;
  rejected = 0;
  readonly rejectedByCode: Record<string, number> = {};
  readonly firstRejected: RefusedAgain[] = [];

  constructor(readonly matched: number) {}

  /** The rejections that were not reached, or whose events are not known to be stored. */
  get pending(): number {
    return this.matched - this.resubmitted - this.duplicates - this.rejected - this.skipped;
  }

  refuse({ id }: Pick<Rejection, 'id'>, { code, message, errors }: RecordRejection): void {
    this.rejected += 1;
    this.rejectedByCode[code] = (this.rejectedByCode[code] ?? 0) + 1;
    if (this.firstRejected.length === MOST_SHOWN) return;
    this.firstRejected.push({ id, code, pointer: errors[0]?.pointer ?? null, message: message.trim() });
  }

  add(part: ResubmissionOutcome): void {
    this.resubmitted += part.resubmitted;
    this.duplicates += part.duplicates;
    this.skipped += part.skipped;
    this.rejected += part.rejected;
    for (const [code, count] of Object.entries(part.rejectedByCode)) {
      this.rejectedByCode[code] = (this.rejectedByCode[code] ?? 0) + count;
    }
    this.firstRejected.push(...part.firstRejected.slice(0, MOST_SHOWN - this.firstRejected.length));
  }

  /** Returns the sum of this outcome and that of a part. */
  with(part: ResubmissionOutcome): ResubmissionOutcome {
    const sum = new ResubmissionOutcome(this.matched);
    sum.add(this);
    sum.add(part);
    return sum;
  }

  /** For the audit entry. */
  counts(): ChangeCounts {
    const { matched, resubmitted, duplicates, rejected, skipped, pending } = this;
    const byCode = Object.entries(this.rejectedByCode).map(([code, count]) => [REJECTED + code, count] as const);
    return { matched, resubmitted, duplicates, rejected, skipped, pending, ...Object.fromEntries(byCode) };
  }

  /** The outcome that an audit entry has. */
  static of(counts: ChangeCounts): ResubmissionOutcome {
    const outcome = new ResubmissionOutcome(counts.matched ?? 0);
    const { resubmitted = 0, duplicates = 0, rejected = 0, skipped = 0 } = counts;
    Object.assign(outcome, { resubmitted, duplicates, rejected, skipped });
    for (const [name, count] of Object.entries(counts)) {
      if (name.startsWith(REJECTED)) outcome.rejectedByCode[name.slice(REJECTED.length)] = count;
    }
    return outcome;
  }
}

/** Whether these are the counts that an audit entry has. */
export function isSameCounts(recorded: ChangeCounts | undefined, counts: ChangeCounts): boolean {
  if (!recorded || Object.keys(recorded).length !== Object.keys(counts).length) return false;
  return Object.entries(counts).every(([name, count]) => recorded[name] === count);
}

/** What became of one event of a rejection. `stored-before`: an earlier resubmission of the same rejection has made it. */
export type EventResult =
  | { kind: 'accepted' | 'stored-before' | 'duplicate'; eventId: string }
  | { kind: 'rejected'; rejection: RecordRejection };

/**
 * Decides what became of a rejection from the results of its events, and adds it to the outcome. Returns its event if all
 * are stored: the first that was made from it, or else the first whose duplicate it is. Returns undefined if one was
 * refused, or is not known to be stored.
 */
export function settle(
  rejection: Pick<Rejection, 'id'>,
  results: readonly (EventResult | undefined)[],
  outcome: ResubmissionOutcome,
): Resubmitted | undefined {
  const refused = results.find((result) => result?.kind === 'rejected');
  if (refused?.kind === 'rejected') {
    outcome.refuse(rejection, refused.rejection);
    return undefined;
  }
  const stored = results.flatMap((result) => (result && 'eventId' in result ? [result] : []));
  const own = stored.find(({ kind }) => kind !== 'duplicate');
  const event = own ?? stored[0];
  if (!event || stored.length < results.length) return undefined;
  if (stored.some(({ kind }) => kind === 'accepted')) outcome.resubmitted += 1;
  else outcome.duplicates += 1;
  return { id: rejection.id, eventId: event.eventId, duplicate: !own };
}
