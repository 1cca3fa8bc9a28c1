import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Report } from '../deliveries-proof/report';
import { runCommandsOfPage } from './commands-of-page';
import type { DrillInstallation } from './installation';
import { eventsOf, forgettingEvents, type Producer, type Sent } from './producer';
import { proveAtRest, countStored } from './at-rest';
import { proveSentAgain } from './prove-sent-again';
import type { Tally } from './table';

const FORGETFUL = 'till';

/**
 * A standby takes over that lacks the last commits. `each` events are in each of these states then: finished and
 * replicated; replicated, but finished on the primary only; finished, but not replicated; in RabbitMQ and not replicated.
 * As many of a tenant whose producer keeps nothing are lost after they were finished.
 */
export async function failOverAsynchronously(
  installation: DrillInstallation,
  producer: Producer,
  each: number,
  report: Report,
): Promise<Tally> {
  const [{ since } = { since: '' }] = await installation.rows<{ since: string }>(
    `select (now() - interval '1 minute')::text as since`,
  );
  const [finished, unfinished] = [eventsOf('finished', each), eventsOf('unfinished', each)];
  const [processed, queued] = [eventsOf('processed', each), eventsOf('queued', each)];
  const forgotten = forgettingEvents(FORGETFUL, 'forgotten', each);
  const kept = [...finished, ...unfinished, ...processed, ...queued];
  const all = [...kept, ...forgotten];

  await producer.send(finished);
  await installation.atRest();
  await installation.stopWorker();
  await producer.send(unfinished);
  await installation.published();
  await installation.cutReplication();
  await installation.startWorker();
  await producer.send([...processed, ...forgotten]);
  await installation.atRest();
  await installation.stopWorker();
  await producer.send(queued);
  await installation.published();
  await installation.remembered(all.length, () => producer.send(all));

  const old = await installation.failOver();
  const lost = await producer.lostOf(all);
  const lostIds = producer.idsOf(lost);
  const isAsExpected = JSON.stringify(sorted(lost)) === JSON.stringify(sorted([...processed, ...queued, ...forgotten]));
  report.figure(`events lost by the database: ${lost.length} of ${all.length}, those after the cut`, isAsExpected);

  await old.startAgain();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-drill-'));
  const env = { cwd: directory, OLD: old.url, NEW: installation.databaseUrl, SINCE: since };
  await runCommandsOfPage('> lost.txt', env);
  const listed = fs.readFileSync(path.join(directory, 'lost.txt'), 'utf8').split('\n').filter(Boolean);
  const isListed = JSON.stringify(listed) === JSON.stringify([...lostIds].sort());
  report.figure(`events found with the old primary: ${listed.length}, the same`, isListed);
  const again = { ...env, TENANT: FORGETFUL, STREAMFORGE: installation.url };
  const sentByOperator = acceptedOf(await runCommandsOfPage('> events.ndjson', again));
  report.exactly('events of the forgetful producer, sent again by the operator', sentByOperator, forgotten.length);
  await old.kill();
  fs.rmSync(directory, { recursive: true });

  const expected = {
    accepted: lost.length - forgotten.length,
    trueDuplicates: finished.length + unfinished.length,
  };
  const sentAgain = await proveSentAgain(producer, kept, lost, expected, report);
  const late = await producer.send(forgotten.filter(({ body }) => body.includes('"eventId"')));
  report.exactly('events accepted that the operator had sent again', late.accepted, 0);

  await installation.startWorker();
  const parked = await installation.parkedReaches(queued.length);
  report.exactly('parked messages of lost events', parked, queued.length);
  report.exactly('the same by the count of the worker', await installation.parkedAsForgotten(), queued.length);
  await proveAtRest(installation, report);

  const deliveries = installation.deliveries();
  const timesOf = (ids: readonly string[]): number[] => ids.map((id) => deliveries.get(id) ?? 0);
  const deliveredTwice = timesOf(producer.idsOf(unfinished)).filter((times) => times > 1).length;
  report.exactly('events delivered twice, whose first delivery is forgotten', deliveredTwice, unfinished.length);
  const deliveredAndLost = timesOf(lostIds).filter((times) => times > 0).length;
  report.exactly('lost events that had been delivered', deliveredAndLost, processed.length + forgotten.length);
  return {
    acknowledged: all.length,
    lost: lost.length,
    listed: listed.length,
    sentAgain: kept.length,
    ...sentAgain,
    sentByOperator,
    parked,
    ...(await countStored(installation)),
    deliveredTwice,
    deliveredAndLost,
  };
}

const sorted = (events: readonly Sent[]): string[] => events.map(({ body }) => body).sort();

/** Reads the summary of a stream that the commands of the page have sent. */
function acceptedOf(printed: string): number {
  return (JSON.parse(printed) as { summary: { accepted: number } }).summary.accepted;
}
