import type { Db } from '../db/pool';
import { findSilent, isStillSilent, type Silence } from '../silence/judge-silence';
import { readSourceProducers, readTypeProducers } from '../silence/producers.queries';
import { MOST_LEARNING, MOST_PRODUCERS, type Producer } from '../silence/silence-rule';
import type { Condition, Observation, WatchReading } from './condition';

/** Reads the sources that are silent, by what is expected of them or by what was learned. */
export async function readSilentSources(db: Db, raised: readonly Condition[]): Promise<WatchReading> {
  const producers = await readSourceProducers(db, subjectsOf(raised));
  return silenceReading(producers, await findSilent(db, producers, false), raised);
}

/** The same for the types of tenants. */
export async function readSilentTypes(db: Db, raised: readonly Condition[]): Promise<WatchReading> {
  const producers = await readTypeProducers(db, subjectsOf(raised));
  return silenceReading(producers, await findSilent(db, producers, true), raised);
}

const subjectsOf = (raised: readonly Condition[]): string[] => raised.map(({ subject }) => subject);

/**
 * Returns the silences, and those that are raised and have not ended for certain. After the producers that are learned from,
 * those that are raised are read first, so that a reading leaves out none of them unless they are very many.
 */
export function silenceReading(
  producers: readonly Producer[],
  silent: readonly Silence[],
  raised: readonly Condition[],
): WatchReading {
  const found = new Set(silent.map(({ producer }) => producer.subject));
  const since = new Map(raised.map((condition) => [condition.subject, Date.parse(condition.since)]));
  const kept = producers.flatMap((producer) => {
    const sinceMs = since.get(producer.subject);
    if (sinceMs === undefined || found.has(producer.subject) || !isStillSilent(producer, sinceMs)) return [];
    return [observationOf(producer, { verdict: 'between', sinceMs, figures: {} })];
  });
  const observations = silent.map(({ producer, sinceMs, ...read }) => {
    const figures = { ...read, activeTimeZone: producer.activeHours?.timeZone ?? null };
    return observationOf(producer, { verdict: 'holds', sinceMs, figures });
  });
  return { observations: [...observations, ...kept], isCut: raised.length > MOST_PRODUCERS - MOST_LEARNING };
}

function observationOf(
  { subject, tenantId, name }: Producer,
  { sinceMs, ...read }: Pick<Observation, 'verdict' | 'figures'> & { sinceMs: number },
): Observation {
  return { subject, tenantId, name, since: new Date(sinceMs).toISOString(), ...read };
}
