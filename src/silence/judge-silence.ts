import type { Db } from '../db/pool';
import { activeMs } from './active-hours';
import {
  noteHeard,
  noteJudged,
  noteLook,
  noteMinutes,
  readHeard,
  readLooks,
  readMinutes,
  type Heard,
  type Judged,
} from './heard.queries';
import { LEAST_SILENT_MINUTES, silentFrom, WEEKS_NEEDED, weeksLearned } from './silent-from';
import type { Producer } from './silence-rule';
import { UsualGaps, type History } from './usual-gaps';
import { zoneTime } from './zone-time';

const MINUTE_MS = 60_000;
/** Silences that are judged in one look. Each reads some days of minutes, and takes some milliseconds. */
const JUDGED_AT_ONCE = 20;
/** A longer pause between two looks leaves a time of which nothing is known. */
const MOST_PAUSE_MINUTES = 5;

export interface Silence {
  producer: Producer;
  /** In ms since 1970. */
  sinceMs: number;
  silentSeconds: number;
  /** What was expected, if that is what is missed. */
  expectEverySeconds: number | null;
  /** The longest gap that is usual, if that is what is missed. */
  usualSeconds: number | null;
}

/** Returns a silence in which less came than was expected of a producer; else undefined. */
export function expectedSilence(producer: Producer): Silence | undefined {
  const { expectEverySeconds, activeHours, heardMs, beganMs, nowMs } = producer;
  if (expectEverySeconds === null) return undefined;
  const sinceMs = Math.max(heardMs ?? 0, beganMs);
  const silentMs = activeMs(activeHours, { fromMs: sinceMs, toMs: nowMs }, expectEverySeconds * 1_000);
  if (silentMs <= expectEverySeconds * 1_000) return undefined;
  return { producer, sinceMs, silentSeconds: secondsOf(nowMs - sinceMs), expectEverySeconds, usualSeconds: null };
}

/**
 * True if nothing shows that a silence has ended: nothing has come since it began, and the rule is the same. That it would
 * begin later now, because samples were lost or nobody looked, ends none. What ends it comes at least a minute after its
 * start; a silence that was learned begins with a minute.
 * @param sinceMs when the silence began
 */
export function isStillSilent({ heardMs, changedMs }: Producer, sinceMs: number): boolean {
  return Math.floor(Math.max(heardMs ?? 0, changedMs) / MINUTE_MS) <= Math.floor(sinceMs / MINUTE_MS);
}

/**
 * Finds the producers that are silent, by what is expected of them or by what was learned. Notes what came of those that are
 * learned from. The caller holds a lock, so that one process does this at a time.
 * @param isRemembered what came of the others is noted too. Of these, nothing is known of a time in which nobody looked.
 */
export async function findSilent(db: Db, producers: readonly Producer[], isRemembered: boolean): Promise<Silence[]> {
  const learning = producers.filter(({ learnSilence }) => learnSilence);
  const noted = isRemembered ? producers : learning;
  const lookedSinceMs = noted.length > 0 ? await noteLook(db) : 0;
  const before = new Map(
    (
      await readHeard(
        db,
        noted.map(({ subject }) => subject),
      )
    ).map((each) => [each.subject, each]),
  );
  const fresh = noted.filter(({ subject, heardMs }) => {
    const known = before.get(subject);
    return !known || (heardMs !== null && heardMs > (known.heardMs ?? 0));
  });
  await noteHeard(db, fresh);
  await noteMinutes(
    db,
    fresh.filter(({ learnSilence, heardMs }) => learnSilence && heardMs !== null),
  );
  const learned = await judgeLearned(db, learning, { before, lookedSinceMs });
  return producers.flatMap((producer) => {
    const beganMs = isRemembered ? Math.max(producer.beganMs, lookedSinceMs) : producer.beganMs;
    const silence =
      expectedSilence({ ...producer, beganMs }) ?? learnedSilence(producer, learned.get(producer.subject));
    return silence ? [silence] : [];
  });
}

function learnedSilence(producer: Producer, judged: Judged | undefined): Silence | undefined {
  const silentFromMs = judged?.silentFromMs ?? null;
  if (!judged || silentFromMs === null || silentFromMs > producer.nowMs) return undefined;
  const sinceMs = judged.judgedForMs ?? 0;
  const silentSeconds = secondsOf(producer.nowMs - sinceMs);
  return { producer, sinceMs, silentSeconds, expectEverySeconds: null, usualSeconds: judged.usualSeconds };
}

/** Judges the silences that have lasted for a while, each once. Returns what is known of each, by subject. */
async function judgeLearned(
  db: Db,
  learning: readonly Producer[],
  { before, lookedSinceMs }: { before: ReadonlyMap<string, Heard>; lookedSinceMs: number },
): Promise<Map<string, Judged>> {
  const known = new Map<string, Judged>();
  const judged: Judged[] = [];
  let looks: Promise<number[]> | undefined;
  for (const producer of learning) {
    const { subject, nowMs } = producer;
    const heard = before.get(subject);
    if (!heard || weeksLearned(heard.sinceMs, nowMs) < WEEKS_NEEDED) continue;
    const beganMs = Math.max(producer.heardMs ?? 0, heard.heardMs ?? 0, producer.beganMs, lookedSinceMs);
    const forMs = Math.floor(beganMs / MINUTE_MS) * MINUTE_MS;
    if (nowMs - beganMs < LEAST_SILENT_MINUTES * MINUTE_MS) continue;
    if (heard.judgedForMs === forMs) known.set(subject, heard);
    else if (judged.length < JUDGED_AT_ONCE) {
      looks ??= readLooks(db);
      const history = historyOf(await readMinutes(db, subject), await looks);
      judged.push({ subject, ...judgedSilence(producer, history, forMs) });
    }
  }
  await noteJudged(db, judged);
  for (const each of judged) known.set(each.subject, each);
  return known;
}

function judgedSilence({ activeHours }: Producer, history: History, forMs: number): Omit<Judged, 'subject'> {
  const usual = new UsualGaps(history, zoneTime(activeHours?.timeZone ?? 'UTC'));
  const found = silentFrom(usual, { lastHeard: forMs / MINUTE_MS, activeHours });
  return {
    judgedForMs: forMs,
    silentFromMs: found && found.silentFrom * MINUTE_MS,
    usualSeconds: found && Math.round(found.usualMinutes * 60),
  };
}

/** @param looks the minutes in which somebody looked, in order */
export function historyOf(heard: readonly number[], looks: readonly number[]): History {
  const pauses = looks.flatMap((from, i) => {
    const to = looks[i + 1];
    return to !== undefined && to - from > MOST_PAUSE_MINUTES ? [{ from, to }] : [];
  });
  const first = looks[0] ?? Infinity;
  const isKnown = (from: number, to: number): boolean =>
    from >= first && !pauses.some((pause) => pause.from < to && pause.to > from);
  return { heard, isKnown };
}

const secondsOf = (ms: number): number => Math.floor(ms / 1_000);
