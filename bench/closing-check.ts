import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '#bench/client';
import { completedEvents, eventStatus } from '#bench/reading';

const SAMPLE_SIZE = 2_000;
const READERS = 8;
/** Keeps the reads below the admin rate limit of a StreamForge that this run did not start. */
const POLL_MS = 1_000;

/** The accepted events, according to the responses. */
export interface Accepted {
  events: number;
  sample: IdSample;
}

/** A uniform random sample of up to 2000 ids. */
export class IdSample {
  readonly ids: string[] = [];
  private seen = 0;

  add(id: string): void {
    this.seen += 1;
    if (this.ids.length < SAMPLE_SIZE) this.ids.push(id);
    else {
      const at = Math.floor(Math.random() * this.seen);
      if (at < SAMPLE_SIZE) this.ids[at] = id;
    }
  }
}

export interface Target {
  url: string;
  tenant: string;
  type: string;
  adminToken: string | undefined;
  deadlineSeconds: number;
}

/** Checks that all accepted events are stored and COMPLETED, and prints the result. Returns false if any is missing. */
export async function checkCompleted({ events, sample }: Accepted, target: Target): Promise<boolean> {
  const startedMs = performance.now();
  const endMs = startedMs + target.deadlineSeconds * 1000;
  const open = [...sample.ids];
  const problems: string[] = [];
  await Promise.all(Array.from({ length: READERS }, () => readBack(open, target, endMs, problems)));
  say(`check    ${sample.ids.length - problems.length} of ${sample.ids.length} sampled ids read back as COMPLETED`);
  for (const problem of problems.slice(0, 10)) say(`         ${problem}`);
  let counted = events > 0;
  if (target.adminToken === undefined)
    say('check    usage not compared: set --admin-token to compare the usage of the tenant');
  else counted &&= await usageIs(events, target, endMs);
  const good = counted && problems.length === 0;
  say(
    `${good ? 'all good' : 'FAILED'}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s after the last response`,
  );
  return good;
}

async function readBack(open: string[], target: Target, endMs: number, problems: string[]): Promise<void> {
  const connection = new Connection(target.url);
  try {
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const found = await statusBefore(endMs, () => eventStatus(connection, target.tenant, id));
      if (found !== 'COMPLETED') problems.push(`${id} is ${found}`);
    }
  } finally {
    connection.close();
  }
}

/** COMPLETED, or the last status (or the read error) at the deadline. */
async function statusBefore(endMs: number, read: () => Promise<string>): Promise<string> {
  for (;;) {
    const found = await read().catch((error: unknown) => `cannot be read: ${String(error)}`);
    if (found === 'COMPLETED' || performance.now() > endMs) return found;
    await sleep(50);
  }
}

/** Whether exactly the accepted events were counted, each once. */
async function usageIs(events: number, target: Target, endMs: number): Promise<boolean> {
  const { url, tenant, type, adminToken = '' } = target;
  const connection = new Connection(url);
  try {
    let counted = await completedEvents(connection, tenant, type, adminToken);
    while (counted < events && performance.now() < endMs) {
      await sleep(POLL_MS);
      counted = await completedEvents(connection, tenant, type, adminToken);
    }
    say(`check    ${events} accepted, ${counted} counted as processed`);
    return counted === events;
  } finally {
    connection.close();
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
