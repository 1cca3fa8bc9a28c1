import type { Report } from '../deliveries-proof/report';
import { countStored, proveAtRest, type Stored } from './at-rest';
import type { DrillInstallation } from './installation';
import type { Producer, Sent } from './producer';
import { proveSentAgain } from './prove-sent-again';
import type { Tally } from './table';

/** What a database has forgotten that was taken back to a moment, and what it should still have. */
export interface Restored {
  kept: readonly Sent[];
  /** Stored after that moment, published, and not yet taken by a worker. */
  later: readonly Sent[];
  /** Stored before all of them. */
  before: Stored;
  parkedBefore: number;
}

/** Sends everything again to a database that was taken back, while no worker runs, and proves that it adds up. */
export async function proveRestored(
  installation: DrillInstallation,
  producer: Producer,
  { kept, later, before, parkedBefore }: Restored,
  report: Report,
): Promise<Tally> {
  const all = [...kept, ...later];
  const lost = await producer.lostOf(all);
  report.exactly('events lost by the database', lost.length, later.length);
  const expected = { accepted: later.length, trueDuplicates: kept.length };
  const again = await proveSentAgain(producer, all, lost, expected, report);
  await installation.startWorker();
  const parked = (await installation.parkedReaches(parkedBefore + later.length)) - parkedBefore;
  report.exactly('parked messages of lost events', parked, later.length);
  await proveAtRest(installation, report);
  const stored = await countStored(installation, before);
  report.exactly('events stored', stored.completed, all.length);
  return {
    acknowledged: all.length,
    lost: lost.length,
    sentAgain: all.length,
    ...again,
    parked,
    ...stored,
  };
}
