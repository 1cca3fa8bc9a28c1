import { startAllInOne } from '#bench/streamforge';
import { Backlog } from '#bench/backlog';
import { Connection } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import { drain, type Drain } from '#bench/idle';
import { shown } from '#bench/statistics';

const STORED = [0, 1_000_000, 5_000_000];
const EVENTS = 20_000;

export interface StoredResult {
  stored: number;
  drains: Drain[];
  bytesPerEvent: number | undefined;
}

/** Measures how growth affects the rates: databases with more and more events take turns with the same streams. */
export async function measureStored(
  postgres: BenchServer,
  rounds: number,
  atEnd: (step: () => Promise<void>) => void,
): Promise<StoredResult[]> {
  const sides = [];
  for (const stored of STORED) {
    const databaseUrl = await postgres.createDatabase(`stored_${stored}`);
    const bytesPerEvent = await fill(databaseUrl, stored);
    const server = await startAllInOne({ DATABASE_URL: databaseUrl });
    atEnd(() => server.stop());
    const connection = new Connection(server.url);
    atEnd(() => Promise.resolve(connection.close()));
    await drain(connection, 'warm', EVENTS);
    sides.push({ stored, connection, bytesPerEvent, drains: new Array<Drain>() });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { connection, drains } of sides) drains.push(await drain(connection, `round-${round}`, EVENTS));
  }
  return sides.map(({ stored, drains, bytesPerEvent }) => ({ stored, drains, bytesPerEvent }));
}

/** Returns the bytes per event, including indexes; undefined without events. */
async function fill(databaseUrl: string, count: number): Promise<number | undefined> {
  if (count === 0) return undefined;
  const backlog = await new Backlog(databaseUrl).open();
  try {
    const before = await backlog.bytes();
    await backlog.addCompleted(count);
    return ((await backlog.bytes()) - before) / count;
  } finally {
    await backlog.close();
  }
}

export function storedReport(results: readonly StoredResult[]): string {
  const [first] = results;
  if (!first) return '';
  const lines = results.map(({ stored, drains, bytesPerEvent }) => {
    const rates = drains.map(({ storedPerSecond }) => storedPerSecond);
    const completed = drains.map(({ completedPerSecond }) => completedPerSecond);
    const ofFirst = (pick: (drain: Drain) => number) =>
      shown(
        drains.map((one, round) => pick(one) / pick(first.drains[round] as Drain)),
        2,
      );
    return (
      `${stored.toLocaleString('en')} events stored${bytesPerEvent ? ` (${bytesPerEvent.toFixed(0)} bytes each)` : ''}: ` +
      `streams stored ${shown(rates, 0)}/s, ${ofFirst(({ storedPerSecond }) => storedPerSecond)} of the empty database; ` +
      `completed ${shown(completed, 0)}/s, ${ofFirst(({ completedPerSecond }) => completedPerSecond)} (wanted >= 0.85)\n`
    );
  });
  return lines.join('');
}
