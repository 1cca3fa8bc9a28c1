import type { Report } from '../deliveries-proof/report';
import { dumped } from '../support/processes/e2e-own-servers';
import { countStored, proveAtRest } from './at-rest';
import type { DrillInstallation } from './installation';
import { eventsOf, type Producer } from './producer';
import type { Tally } from './table';

/** A dump is restored in place, under open connections. What was stored after it is lost. */
export async function restoreInPlace(
  installation: DrillInstallation,
  producer: Producer,
  each: number,
  report: Report,
): Promise<Tally> {
  const before = await countStored(installation);
  const [dumpedToo, later] = [eventsOf('dumped', each), eventsOf('later', each)];
  const all = [...dumpedToo, ...later];
  await producer.send(dumpedToo);
  await installation.atRest();
  await installation.stopWorker();
  const known = await installation.keysInRedis();
  const parkedBefore = await installation.parked();
  const dump = dumped(installation.databaseUrl);
  await producer.send(later);
  await installation.published();
  await installation.remembered(known + later.length, () => producer.send(all));
  dump.restore();

  const lost = await producer.lostOf(all);
  report.exactly('events lost by the database', lost.length, later.length);
  const result = await producer.sendAgain(all, new Set(lost));
  report.exactly('events accepted again', result.accepted, later.length);
  report.exactly('true duplicates', result.trueDuplicates, dumpedToo.length);
  for (const wrong of result.wrong.slice(0, 20)) report.note(wrong);
  report.exactly('responses to events that were sent again, and are wrong', result.wrong.length, 0);
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
    acceptedAgain: result.accepted,
    trueDuplicates: result.trueDuplicates,
    parked,
    ...stored,
  };
}
