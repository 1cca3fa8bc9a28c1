import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { givenDestination } from '../support/destinations';
import type { TestReceiver } from '../support/receiver';
import type { Evidence } from './evidence';
import { comeToRest, databaseFacts, readAll, unrest, usageOfAll } from './facts';
import { faultSchedule } from './faults';
import { startFlakyReceiver } from './flaky-receiver';
import { entriesOf, Journal } from './journal';
import { Landscape } from './landscape';
import { DELIVERED_TENANT, payloadsOf, TENANTS, tenantOf } from './load';
import { judge, type Verdict } from './oracle';
import { Producer } from './producer';
import { progressOf, reportOf } from './report';
import { carryOut } from './saboteur';

const CLIENTS = 6;
const PROGRESS_EVERY_MS = 5_000;
/** A slow machine may take its time, as long as it gets on. */
const REST_PATIENCE_MS = 120_000;
const DESTINATION_TIMEOUT_MS = 1_000;

export interface Run {
  seed: number;
  seconds: number;
  say: (line: string) => void;
}

/**
 * The fault suite: seeded load on real processes while a seeded schedule makes them and their servers fail. Then all is
 * up again, everything comes to rest, and the oracle decides. What is left of a run that failed stays on disk.
 */
export async function verify(run: Run): Promise<Verdict> {
  const { seed, seconds, say } = run;
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), `streamforge-verify-${seed}-`));
  const journal = new Journal(path.join(directory, 'journal.ndjson'));
  say(`seed ${seed}, ${seconds} s of load and faults`);
  const receiver = await startFlakyReceiver(seed, journal);
  let landscape: Landscape | undefined;
  let verdict: Verdict | undefined;
  try {
    landscape = await Landscape.start(directory, (process, output) => {
      journal.append({ kind: 'crashed', process, output });
    });
    verdict = await verifyIn(landscape, run, { journal, receiver });
    for (const line of reportOf(verdict, journal.entries, { seed, directory })) say(line);
    return verdict;
  } finally {
    const passed = verdict?.violations.length === 0;
    if (landscape && !passed) keepOutputs(directory, landscape);
    await landscape?.stop();
    await receiver.stop();
    await journal.close();
    if (passed) fs.rmSync(directory, { recursive: true, maxRetries: 5 });
    if (!verdict) say(`no verdict; journal and output of all processes: ${directory}`);
  }
}

async function verifyIn(
  landscape: Landscape,
  { seed, seconds, say }: Run,
  { journal, receiver }: { journal: Journal; receiver: TestReceiver },
): Promise<Verdict> {
  await givenDestination(landscape.apis[0] as string, {
    tenantId: DELIVERED_TENANT,
    url: receiver.url,
    timeoutMs: DESTINATION_TIMEOUT_MS,
  });
  await underFaults({ seed, seconds, say }, landscape, journal);
  say('everything is started again; waiting until nothing is open');
  const open = async () => ({ ...(await unrest(landscape.databaseUrl)), messages: await landscape.queuedMessages() });
  await comeToRest(open, REST_PATIENCE_MS, say);
  return judge(await gather(landscape, journal));
}

/** Load and faults side by side. Ends when all is up again and every client has the answer to its last request. */
async function underFaults({ seed, seconds, say }: Run, landscape: Landscape, journal: Journal): Promise<void> {
  const producers = Array.from({ length: CLIENTS }, (_, n) => new Producer(seed, n, landscape.apis, journal));
  const sending = Promise.all(producers.map((producer) => producer.run()));
  sending.catch(() => undefined); // thrown below
  const progress = setInterval(() => say(progressOf(journal.entries)), PROGRESS_EVERY_MS);
  try {
    const faults = carryOut(faultSchedule(seed, seconds), landscape, (text) => {
      journal.append({ kind: 'fault', text });
      say(text);
    });
    await Promise.all([faults, sleep(seconds * 1000)]);
  } finally {
    for (const producer of producers) producer.stop();
    await sending;
    clearInterval(progress);
  }
}

async function gather(landscape: Landscape, journal: Journal): Promise<Evidence> {
  const api = landscape.apis[0] as string;
  const facts = await databaseFacts(landscape.databaseUrl);
  const ids = new Map(facts.stored.map(({ name, id }) => [name, id]));
  const acknowledged = [...entriesOf(journal.entries, 'answered'), ...entriesOf(journal.entries, 'unanswered')];
  for (const { name, id } of acknowledged.flatMap((entry) => entry.acknowledged))
    if (id !== undefined) ids.set(name, id);
  const wanted = new Map(
    acknowledged.flatMap((entry) =>
      entry.acknowledged.map(({ name }) => [name, { tenant: tenantOf(name), id: ids.get(name) ?? name }]),
    ),
  );
  return {
    ...facts,
    journal: journal.entries,
    payloads: payloadsOf(new Set(entriesOf(journal.entries, 'sent').flatMap(({ names }) => names))),
    readBack: await readAll(api, wanted),
    usage: await usageOfAll(api, TENANTS),
    deliveredTenant: DELIVERED_TENANT,
  };
}

function keepOutputs(directory: string, { outputs }: Landscape): void {
  for (const { name, output } of outputs) fs.writeFileSync(path.join(directory, `${name}.log`), output);
}
