import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rowsOf } from '../../support/processes/e2e-own-servers';
import type { Evidence, Leftovers } from '../evidence/evidence';
import { gather } from '../evidence/gather';
import { comeToRest } from '../evidence/leftovers';
import { carryOut, type Scene } from '../faults/carry-out';
import { goBack } from '../faults/going-back/going-back';
import { FlakyReceiver } from '../landscape/flaky-receiver';
import { HostNames } from '../landscape/host-names';
import { Landscape } from '../landscape/landscape';
import { Client } from '../load/client';
import { Admin } from '../load/operator/admin';
import { Amender } from '../load/operator/amender';
import { Operator, registerDestinations } from '../load/operator/operator';
import { Unblocker } from '../load/operator/unblocker';
import type { Outside } from '../load/sender';
import { CLIENT_TENANTS } from '../load/tenants';
import { lostEvents, withoutLost } from '../oracle/lost-history';
import { examine, type Result } from '../oracle/oracle';
import { readOfTheRun } from './inconclusive';
import { Journal } from './journal';
import { planOf, type Choice, type Plan } from './plan';
import { progressOf, reportOf } from './report';
import { storiesOf } from './story';

const PROGRESS_EVERY_MS = 5_000;
/** After this many times its planned duration, the load ends even if faults are late, and no further fault begins. */
const LATE_FACTOR = 1.5;
const SESSIONS_END_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 100;
const ROLES = ['api', 'publisher', 'worker'];

const LEFT_AFTER_STOP = `
  select (select count(*)::int from pg_stat_activity where application_name like 'streamforge%')
           as "database sessions after the stop",
         (select count(*)::int from delivery_workers where seen_at > now() - interval '5 seconds')
           as "live delivery workers after the stop"`;

export interface Run {
  seed: number;
  seconds: number;
  /** Gives up coming to rest when there was no progress for this long. */
  restSeconds: number;
  choice: Choice;
  say: (line: string) => void;
}

export interface FinishedRun {
  result: Result;
  plan: Plan;
}

/**
 * One run of the fault suite: seeded load on real processes while a seeded schedule makes them and their servers fail. Then
 * everything is started again and comes to rest, and the oracle checks the evidence. If it finds violations, the files of
 * the run stay on disk.
 * @throws Inconclusive if a server of the run fails by itself
 */
export async function verify(run: Run): Promise<FinishedRun> {
  const { seed, seconds, say } = run;
  const plan = planOf(seed, seconds, run.choice);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), `streamforge-verify-${seed}-`));
  const journal = new Journal(path.join(directory, 'journal.ndjson'));
  say(
    `seed ${seed}, ${seconds} s of load, ${plan.faults.length} faults, ${plan.reconciles ? 'with' : 'without'} the reconciler`,
  );
  const receiver = await FlakyReceiver.start(seed, journal);
  const names = await HostNames.start();
  let landscape: Landscape | undefined;
  let passed = false;
  try {
    const settings = { ...plan.settings, DESTINATIONS_NAME_SERVERS: names.address };
    landscape = await Landscape.start(directory, settings, journal);
    const evidence = await runIn(landscape, { receiver, names }, { run, plan, journal });
    const result = examine(evidence);
    passed = result.violations.length === 0;
    const stories = storiesOf(result.violations, evidence);
    fs.writeFileSync(path.join(directory, 'stories.txt'), [...stories.values()].join('\n'));
    for (const line of reportOf(result, evidence, { run, stories })) say(line);
    return { result, plan };
  } finally {
    if (landscape && !passed) keepOutputs(directory, landscape);
    await landscape?.stop();
    await receiver.stop();
    await names.stop();
    await journal.close();
    if (passed) fs.rmSync(directory, { recursive: true, maxRetries: 5 });
    else say(`journal, stories and output of all processes: ${directory}`);
  }
}

async function runIn(
  landscape: Landscape,
  { receiver, names }: { receiver: FlakyReceiver; names: HostNames },
  { run, plan, journal }: { run: Run; plan: Plan; journal: Journal },
): Promise<Evidence> {
  const { seed, seconds, say } = run;
  const outside: Outside = { apis: landscape.apis, journal, sent: new Map() };
  const admin = new Admin(landscape.apis, journal);
  const destinations = await registerDestinations(admin, receiver);
  const clients = CLIENT_TENANTS.map((_, number) => new Client(seed, number, outside));
  const operator = new Operator(seed, admin, destinations, receiver, landscape, journal);
  const amender = new Amender(seed, admin, journal);
  const unblocker = new Unblocker(seed, admin, destinations);
  const latestMs = LATE_FACTOR * seconds * 1000;
  const scene: Scene = { landscape, names, outside, journal, seed, latestMs, say };
  await underFaults([...clients, operator, amender, unblocker], { seconds, plan, scene });
  say('everything is started again; waiting until nothing is in progress');
  const atRest = (): Promise<Leftovers> =>
    unblocker.during(() => comeToRest(landscape, { patienceMs: run.restSeconds * 1000, say }));
  let leftovers = await atRest();
  if (plan.goesBack && Object.values(leftovers).every((count) => count === 0)) {
    await landscape.scrapeOf(landscape.processes.map(({ name }) => name));
    await goBack(plan.goesBack, scene, plan.faults.length);
    leftovers = await atRest();
  }
  const evidence = await gather(landscape, outside, { admin, reconciles: plan.reconciles, leftovers });
  for (const role of ROLES) {
    await landscape.terminate(landscape.processes.filter((one) => one.role === role).map(({ name }) => name));
  }
  await landscape.kill('pooler'); // it keeps sessions for those that come
  const remembered = withoutLost(journal.entries, evidence.stored);
  if (plan.goesBack) say(`${lostEvents(journal.entries, evidence.stored)} events were acknowledged and lost`);
  return { ...evidence, journal: remembered, leftovers: { ...leftovers, ...(await lookAfterStop(landscape)) } };
}

/** The sessions of the pooler end a moment after it. */
async function lookAfterStop({ databaseUrl }: Landscape): Promise<Leftovers> {
  for (const untilMs = Date.now() + SESSIONS_END_WITHIN_MS; ;) {
    const [left = {}] = await readOfTheRun('counting sessions', () => rowsOf<Leftovers>(databaseUrl, LEFT_AFTER_STOP));
    if (Object.values(left).every((count) => count === 0) || Date.now() > untilMs) return left;
    await sleep(LOOK_EVERY_MS);
  }
}

interface Actor {
  run(): Promise<void>;
  stop(): void;
}

/** Runs load and faults at the same time. Ends when everything is up again and every client has its last response. */
async function underFaults(
  actors: readonly Actor[],
  { seconds, plan, scene }: { seconds: number; plan: Plan; scene: Scene },
): Promise<void> {
  const { journal, latestMs, say } = scene;
  const acting = Promise.all(actors.map((actor) => actor.run()));
  acting.catch(() => undefined); // thrown below
  const stopAll = (): void => actors.forEach((actor) => actor.stop());
  const enough = setTimeout(stopAll, latestMs);
  const progress = setInterval(() => say(progressOf(journal.entries)), PROGRESS_EVERY_MS);
  try {
    await Promise.all([carryOut(plan.faults, scene), sleep(seconds * 1000)]);
  } finally {
    stopAll();
    clearTimeout(enough);
    clearInterval(progress);
  }
  await acting;
}

function keepOutputs(directory: string, { outputs }: Landscape): void {
  for (const { name, output } of outputs) fs.writeFileSync(path.join(directory, `${name}.log`), output);
}
