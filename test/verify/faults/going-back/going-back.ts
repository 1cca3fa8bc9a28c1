import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../load/client';
import type { PlannedRequest } from '../../load/requests/planned-request';
import type { PlannedRecord } from '../../load/sending';
import { CLIENT_TENANTS } from '../../load/tenants';
import type { Scene } from '../carry-out';
import { clock, type WayBack } from '../schedule';
import { prepareFailover } from './failover';
import { prepareRestore } from './restore';

/** PostgreSQL can go back to the moment at which this was prepared. */
export interface Return {
  goBack: () => Promise<void>;
}

const PREPARE = { failover: prepareFailover, restore: prepareRestore } as const;

/** Load before the workers stand still, so that some of what will be lost is processed and delivered. */
const BEFORE_MS = 1_500;
/** The workers stand still, so that messages of lost events wait in RabbitMQ. */
const PILE_UP_MS = 1_500;
/** Longer than the time in which the oracle takes answers and deliveries for ones of before. */
const AFTER_MS = 3_500;

/**
 * PostgreSQL goes back in time under load, while Redis, RabbitMQ and the processes keep what they remember. Then the clients
 * send everything again that they have sent since then. Everything must be at rest at the beginning: what was acknowledged
 * until now is stored before and after.
 * @throws Inconclusive
 */
export async function goBack(
  way: WayBack,
  { landscape, outside, journal, seed, say }: Omit<Scene, 'names' | 'latestMs'>,
  fault: number,
): Promise<void> {
  const tell = (phase: 'begins' | 'ends'): void => {
    say(`${clock(journal.nowMs)}  ${way} of postgres ${phase}`);
    journal.append({ kind: 'fault', phase, fault, what: way, target: 'postgres', text: `${way} of postgres` });
  };
  const past = await PREPARE[way](landscape);
  journal.append({ kind: 'last kept', way });
  const clients = CLIENT_TENANTS.map((_, i) => new Client(seed, CLIENT_TENANTS.length + i, outside, isSound));
  const acting = Promise.all(clients.map((client) => client.run()));
  acting.catch(() => undefined); // thrown below
  try {
    await sleep(BEFORE_MS);
    tell('begins');
    await landscape.whileWorkersStop(PILE_UP_MS, () => past.goBack());
    tell('ends');
    await sleep(AFTER_MS);
  } finally {
    for (const client of clients) client.stop();
  }
  await acting;
  say(`${clock(journal.nowMs)}  the clients send everything again since the ${way}`);
  await Promise.all(clients.map((client) => client.sendAgain()));
}

/** A record that collides with an earlier event is no longer to be rejected when that event was lost. */
function isSound(request: PlannedRequest): boolean {
  if (request.kind === 'broken single') return false;
  return request.kind === 'single' || recordsOf(request).every((record) => 'event' in record);
}

const recordsOf = (request: Extract<PlannedRequest, { kind: 'stream' | 'webhook' }>): readonly PlannedRecord[] =>
  request.kind === 'stream' ? request.stream.records : request.webhook.records;
