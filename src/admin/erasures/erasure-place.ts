import { uuidV7Floor } from '../../event/uuid-v7';
import { ERASURE_PHASES, FIRST_PHASE, type ErasureInHand, type ErasurePhase } from './erasure';

/** The last look begins this long before the end of the range. What was made earlier was there at the first look. */
const LAST_LOOK_MS = 120_000;

/** Where an erasure goes on. */
export type ErasurePlace = Pick<ErasureInHand, 'phase' | 'position' | 'lastLook'>;

/**
 * Returns where an erasure goes on after a step; undefined if that was the last one.
 * @param position where the phase goes on; null at its end
 */
export function placeAfter(
  { phase, lastLook, below }: Pick<ErasureInHand, 'phase' | 'lastLook' | 'below'>,
  position: string | null,
): ErasurePlace | undefined {
  if (position !== null) return { phase, position, lastLook };
  const next: ErasurePhase | undefined = ERASURE_PHASES[ERASURE_PHASES.indexOf(phase) + 1];
  if (next !== undefined) return { phase: next, position: firstPosition(lastLook, below), lastLook };
  return lastLook ? undefined : { phase: FIRST_PHASE, position: firstPosition(true, below), lastLook: true };
}

function firstPosition(lastLook: boolean, below: string): string {
  const belowMs = parseInt(below.slice(0, 8) + below.slice(9, 13), 16);
  return uuidV7Floor(lastLook ? belowMs - LAST_LOOK_MS : 0);
}
