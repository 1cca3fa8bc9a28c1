import type { Db } from '../../db/pool';
import type { ErasureActs } from './erasure-acts';
import type { ErasureCounts, ErasurePhase, ErasureRange } from './erasure';
import { mentionsSubject } from './selection/mentions-subject';
import { listSelectedEvents } from './selection/selected-events.queries';
import { listRejectionsToErase } from './selection/selected-rejections.queries';

/** Where a step begins, and how many events or rejections it erases at most. */
export type StepRange = ErasureRange & { most: number };

/** What one step has done. */
export interface ErasureStep {
  counts: Partial<ErasureCounts>;
  /** Where the next step of the phase goes on; null at its end. */
  position: string | null;
}

/** Does one bounded step of a phase. Returns undefined if the transaction must be rolled back and the step repeated. */
export function stepPhase(
  db: Db,
  phase: ErasurePhase,
  range: StepRange,
  acts: ErasureActs,
): Promise<ErasureStep | undefined> {
  return PHASES[phase](db, range, acts);
}

const PHASES: Record<ErasurePhase, (db: Db, range: StepRange, acts: ErasureActs) => Promise<ErasureStep | undefined>> =
  {
    async events(db, range, acts) {
      const { ids, last, more } = await listSelectedEvents(db, range, range.most);
      const counts = ids.length === 0 ? {} : await acts.events(db, ids);
      return counts && { counts, position: more ? last : null };
    },
    async rejections(db, range, acts) {
      const { subject, before } = range;
      const found = await listRejectionsToErase(db, range, range.most);
      const chosen = found.filter(
        (one) => before !== null || one.related || (subject !== null && mentionsSubject(subject, one)),
      );
      const ids = chosen.map(({ id }) => id);
      const counts = ids.length === 0 ? {} : await acts.rejections(db, ids);
      return counts && { counts, position: found.at(-1)?.id ?? null };
    },
    async samples(db, range, acts) {
      const { more, ...counts } = await acts.samples(db, range);
      return { counts, position: more ? range.position : null };
    },
  };
