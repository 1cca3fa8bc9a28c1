import type { Report } from '../deliveries-proof/report';
import { countStored, proveAtRest } from './at-rest';
import type { DrillInstallation } from './installation';
import { eventsOf, type Producer } from './producer';
import { proveSentAgain } from './prove-sent-again';
import type { Tally } from './table';

/** A standby takes over for which every commit has waited. */
export async function failOverSynchronously(
  installation: DrillInstallation,
  producer: Producer,
  each: number,
  report: Report,
): Promise<Tally> {
  const before = await countStored(installation);
  await installation.addSynchronousStandby();
  const [confirmed, waiting] = [eventsOf('confirmed', each), eventsOf('waiting', each)];
  const all = [...confirmed, ...waiting];
  await producer.send(confirmed);
  await installation.cutReplication();
  const acknowledged = producer.acknowledgements;
  const sending = producer.send(waiting);
  sending.catch(() => undefined); // it is awaited below, unless something fails before
  await installation.commitsWait();
  report.exactly('events acknowledged without the standby', producer.acknowledgements - acknowledged, 0);
  await installation.failOver();
  await sending;

  const lost = await producer.lostOf(all);
  report.exactly('events lost by the database', lost.length, 0);
  const again = await proveSentAgain(producer, all, [], { accepted: 0, trueDuplicates: all.length }, report);
  await proveAtRest(installation, report);
  const stored = await countStored(installation, before);
  report.exactly('events stored', stored.completed, all.length);
  return {
    acknowledged: all.length,
    lost: lost.length,
    sentAgain: all.length,
    ...again,
    ...stored,
  };
}
