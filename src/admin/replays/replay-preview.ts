import type { FoundEvent } from '../events/event-search.queries';
import type { ReplaySkip } from './replay-events.queries';
import type { ReplayPreview } from './replays.responses';

const SAMPLES_OF_PREVIEW = 10;

/** Summarizes what a replay would do. @param events newest first */
export function previewOf(
  events: readonly FoundEvent[],
  candidates: readonly { eventId: string; reason: ReplaySkip | null }[],
  more: boolean,
): ReplayPreview {
  const reasons = new Map(candidates.map(({ eventId, reason }) => [eventId, reason]));
  const fit = events.filter(({ id }) => reasons.get(id) === null);
  return {
    wouldReplay: fit.length,
    skippedByReason: countBy(candidates.flatMap(({ reason }) => reason ?? [])),
    byType: countBy(fit.map(({ type }) => type)),
    oldest: fit.at(-1)?.receivedAt ?? null,
    newest: fit[0]?.receivedAt ?? null,
    sampleEventIds: fit.slice(0, SAMPLES_OF_PREVIEW).map(({ id }) => id),
    more,
  };
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
