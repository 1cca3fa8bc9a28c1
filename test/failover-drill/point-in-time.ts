import type { Report } from '../deliveries-proof/report';
import { countStored } from './at-rest';
import type { DrillInstallation } from './installation';
import { eventsOf, type Producer } from './producer';
import { proveRestored } from './prove-restored';
import type { Tally } from './table';
import { WalArchive } from './wal-archive';

/**
 * A base backup and the WAL archive are recovered up to a moment, and take over. `each` events are in each of these states
 * then: in the base backup; in the archive only; stored after the moment, and lost.
 */
export async function recoverToPoint(
  installation: DrillInstallation,
  producer: Producer,
  each: number,
  report: Report,
): Promise<Tally> {
  const before = await countStored(installation);
  const archive = new WalArchive(installation.databaseUrl);
  await archive.configure();
  await installation.restartPrimary();

  const [backedUp, archived, later] = [
    eventsOf('backed-up', each),
    eventsOf('archived', each),
    eventsOf('after-point', each),
  ];
  await producer.send(backedUp);
  await installation.atRest();
  await installation.stopWorker();
  const known = await installation.keysInRedis();
  const parkedBefore = await installation.parked();
  await archive.backUp();
  await producer.send(archived);
  await installation.published();
  const [{ target } = { target: '' }] = await installation.rows<{ target: string }>(
    'select clock_timestamp()::text as target',
  );
  await producer.send(later);
  await installation.published();
  const kept = [...backedUp, ...archived];
  const count = known + archived.length + later.length;
  await installation.remembered(count, () => producer.send([...kept, ...later]));
  await archive.complete();
  await installation.takeOver(() => archive.recover(target));

  return proveRestored(installation, producer, { kept, later, before, parkedBefore }, report);
}
