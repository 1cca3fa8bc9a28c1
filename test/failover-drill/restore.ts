import type { Report } from '../deliveries-proof/report';
import { dumped } from '../support/processes/e2e-own-servers';
import { countStored } from './at-rest';
import type { DrillInstallation } from './installation';
import { eventsOf, type Producer } from './producer';
import { proveRestored } from './prove-restored';
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

  return proveRestored(installation, producer, { kept: dumpedToo, later, before, parkedBefore }, report);
}
