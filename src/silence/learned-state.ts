import type { Db } from '../db/pool';
import { timeOfDayMs } from '../event/time-of-day';
import { readHeard } from './heard.queries';
import { WEEKS_NEEDED, weeksLearned } from './silent-from';
import type { SilenceRule } from './silence-rule';

/** How far the learning of what is usual is. */
export interface LearnedState {
  state: 'learning' | 'learned';
  /** Whole weeks of data, at most as many as are needed. */
  weeks: number;
  weeksNeeded: number;
}

/** Returns the states of those that are learned from, by subject. */
export async function learnedStates(
  db: Db,
  rules: readonly (Pick<SilenceRule, 'learnSilence'> & { subject: string })[],
): Promise<ReadonlyMap<string, LearnedState>> {
  const subjects = rules.filter(({ learnSilence }) => learnSilence).map(({ subject }) => subject);
  if (subjects.length === 0) return new Map();
  const since = new Map((await readHeard(db, subjects)).map(({ subject, sinceMs }) => [subject, sinceMs]));
  const nowMs = timeOfDayMs();
  return new Map(subjects.map((subject) => [subject, stateOf(since.get(subject) ?? nowMs, nowMs)]));
}

function stateOf(sinceMs: number, nowMs: number): LearnedState {
  const weeks = weeksLearned(sinceMs, nowMs);
  return { state: weeks < WEEKS_NEEDED ? 'learning' : 'learned', weeks, weeksNeeded: WEEKS_NEEDED };
}
