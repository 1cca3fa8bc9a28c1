import { ApiProperty } from '@nestjs/swagger';
import type { FoundEvent } from '../events/event-search.queries';
import type { ReplayCandidate } from '../../event-state/dispatch-replayed.queries';

const SAMPLES = 10;

/** What a replay would do now. */
export class ReplayPreview {
  @ApiProperty({ example: 3, description: 'Events that would be sent' })
  wouldReplay!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { 'in-process': 1 },
    description: 'Events that would be skipped, by reason',
  })
  skippedByReason!: Record<string, number>;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, example: { 'sale.completed': 3 } })
  byType!: Record<string, number>;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Receipt of the oldest' })
  oldest!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Receipt of the newest' })
  newest!: string | null;

  @ApiProperty({ type: [String], description: 'Ids of some of the newest' })
  sampleEventIds!: string[];

  @ApiProperty({ example: false, description: 'The filter names more events than the limit lets in' })
  more!: boolean;
}

/** @param events newest first */
export function previewOf(
  events: readonly FoundEvent[],
  judged: readonly ReplayCandidate[],
  more: boolean,
): ReplayPreview {
  const reasons = new Map(judged.map(({ eventId, reason }) => [eventId, reason]));
  const fit = events.filter(({ id }) => reasons.get(id) === null);
  return {
    wouldReplay: fit.length,
    skippedByReason: countBy(judged.flatMap(({ reason }) => reason ?? [])),
    byType: countBy(fit.map(({ type }) => type)),
    oldest: fit.at(-1)?.receivedAt ?? null,
    newest: fit[0]?.receivedAt ?? null,
    sampleEventIds: fit.slice(0, SAMPLES).map(({ id }) => id),
    more,
  };
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
