import { MANY, MOST_CONDITIONS, type Condition, type Observation, type WatchReading } from './condition';

/** While at most this many of a kind are raised, each has an event of its own. Then one event stands for those that follow. */
export const MOST_SINGLE = 10;

/** With this many raises within an hour, a condition is flapping. */
export const FLAPPING_RAISES = 3;
/** What is flapping is cleared when it has been over for so many times as long as another condition. */
const STABLE_TIMES = 30;
export const stableSeconds = (clearAfterSeconds: number): number => clearAfterSeconds * STABLE_TIMES;

/**
 * What becomes of a condition:
 * - raise, clear: with an event
 * - join, leave: without one, because the event of MANY stands for it
 * - raise-many: with an event for all of `observations`
 * - fade: it no longer holds, and is cleared if that lasts
 * - hold: it holds again before it was cleared
 */
export type Change =
  | { kind: 'raise' | 'join'; observation: Observation }
  | { kind: 'raise-many'; observations: readonly Observation[] }
  | { kind: 'clear' | 'leave' | 'fade' | 'hold'; condition: Condition };

/**
 * Decides what changes for one kind of condition. A condition is raised at once, since what is observed spans some time, and
 * cleared after it has not been observed for `clearAfterSeconds`. A reading that is cut shows nothing about what it leaves out:
 * what is raised stays so. What is flapping is held for longer.
 * @param raised the stored conditions
 */
export function decideConditions(
  raised: readonly Condition[],
  { observations, isCut }: WatchReading,
  clearAfterSeconds: number,
): Change[] {
  const seen = new Set(observations.map(({ subject }) => subject));
  const known = new Set(raised.map(({ subject }) => subject));
  const many = raised.find(({ subject }) => subject === MANY);
  const single = raised.filter(({ subject }) => subject !== MANY);

  const changes = single.flatMap((condition) =>
    changeOf(condition, isCut || seen.has(condition.subject), clearAfterSeconds),
  );
  const ended = changes.filter(({ kind }) => kind === 'clear' || kind === 'leave');
  const joined = single.filter(({ state }) => state === 'joined').length;
  const left = changes.filter(({ kind }) => kind === 'leave').length;

  const room = Math.max(0, MOST_CONDITIONS - 1 - raised.length);
  const fresh = observations
    .filter(({ verdict, subject }) => verdict === 'holds' && !known.has(subject))
    .slice(0, room);
  const isTooMany = single.length - ended.length + fresh.length > MOST_SINGLE;
  for (const observation of fresh) changes.push({ kind: isTooMany ? 'join' : 'raise', observation });
  const isJoined = joined - left > 0 || (isTooMany && fresh.length > 0);
  if (!many && isJoined) changes.push({ kind: 'raise-many', observations: fresh });
  if (many) changes.push(...changesOfMany(many, isJoined, clearAfterSeconds));
  return changes;
}

/** The conditions that it stands for have taken their time to be cleared. */
function changesOfMany(many: Condition, isJoined: boolean, clearAfterSeconds: number): Change[] {
  if (many.isFlapping) return changeOf(many, isJoined, clearAfterSeconds);
  return isJoined ? [] : [{ kind: 'clear', condition: many }];
}

/** Returns no change, or one. */
function changeOf(condition: Condition, isSeen: boolean, clearAfterSeconds: number): Change[] {
  const { clearingSeconds, state, isFlapping } = condition;
  if (isSeen) return clearingSeconds === null ? [] : [{ kind: 'hold', condition }];
  if (clearingSeconds === null) return [{ kind: 'fade', condition }];
  if (clearingSeconds < (isFlapping ? stableSeconds(clearAfterSeconds) : clearAfterSeconds)) return [];
  return [{ kind: state === 'joined' ? 'leave' : 'clear', condition }];
}
