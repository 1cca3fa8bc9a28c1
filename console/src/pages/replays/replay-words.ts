import type { Schema } from '../../api/endpoints';
import { countOf, formatCount } from '../../format/numbers';

type Replay = Schema<'ReplayProgressResponse'>;
type Progress = Replay['progress'];

/** A cancelled replay goes on until the events that were dispatched before are done. */
export const statusOf = ({ status, finishedAt }: Pick<Replay, 'status' | 'finishedAt'>): string =>
  status === 'CANCELLED' && finishedAt === null ? 'CANCELLING' : status;

/** How many events of a replay need nothing any more. */
export const doneOf = ({ completed, deadLettered, skipped, cancelled }: Progress): number =>
  completed + deadLettered + skipped + cancelled;

/** Where a replay stands, in a sentence. */
export function standingOf({ status, finishedAt, matched, progress }: Replay): string {
  const { pending, dispatched, deadLettered } = progress;
  if (finishedAt === null && status === 'CANCELLED')
    return `It was cancelled. ${countOf(dispatched, 'event')} dispatched before are still in process.`;
  if (finishedAt === null && pending === 0)
    return `All events are dispatched, and ${formatCount(dispatched)} are still in process.`;
  if (finishedAt === null) return `${formatCount(doneOf(progress))} of ${countOf(matched, 'event')} are done.`;
  const ended = status === 'CANCELLED' ? 'It was cancelled.' : 'Nothing of it goes on any more.';
  return deadLettered === 0 ? ended : `${ended} ${countOf(deadLettered, 'event')} failed again.`;
}

/** What the modes do, in a sentence. */
export const MEANINGS: Record<Schema<'RecordedMode'>, string> = {
  reprocess: 'Handlers run again and every destination gets the events again, also those that have them already.',
  republish: 'The events are dispatched again. Handlers and deliveries that already succeeded do not run again.',
  backfill: 'Events of a time range are delivered to one destination. No handler runs.',
};

/** What it means that more events matched. */
export const MORE = {
  replay: 'More events matched than its limit allows: these are the newest.',
  backfill: 'The count of the events stopped; the backfill has no such limit.',
};
