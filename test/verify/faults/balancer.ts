import { setTimeout as sleep } from 'node:timers/promises';
import type { Landscape } from '../landscape/landscape';
import { GRACE_MS } from '../landscape/settings';
import { planEvent } from '../load/planned-event';
import { SeededRandom, seedFor } from '../load/random';
import { singleOf } from '../load/requests/single';
import { Sender, type Outside } from '../load/sender';
import type { Sending } from '../load/sending';
import type { Tenant } from '../load/tenants';
import type { ProcessName } from './schedule';

/** Until a balancer has seen that /ready is 503. */
const GOES_ON_MS = 2_000;
/** Each sends one request after the other. */
const LANES: readonly Tenant[] = ['north', 'south', 'delivered'];
const PAUSE_MS = 20;

interface Scene {
  landscape: Landscape;
  outside: Outside;
  seed: number;
}

/**
 * SIGTERM to an api, while a balancer goes on sending to it. Resolves when everything that was sent has a final response.
 * @param number of the fault
 * @param bringBack starts the api again when it has ended. Both may be away, so nothing else is waited for
 */
export async function leaveUnderLoad(
  target: ProcessName,
  { number, bringBack }: { number: number; bringBack: () => Promise<void> },
  { landscape, outside, seed }: Scene,
): Promise<void> {
  const { journal } = outside;
  const url = landscape.processes.find(({ name }) => name === target)?.url as string;
  const balancer = new Balancer(outside, url);
  const sending = Promise.all(
    LANES.map((tenant) => {
      const random = new SeededRandom(seedFor(seed, `left ${number} ${tenant}`));
      return balancer.send(eventsOf(random, tenant, number));
    }),
  );
  let signalledMs = Infinity;
  await landscape.terminate([target], () => {
    signalledMs = journal.nowMs;
    setTimeout(() => balancer.stop(), GOES_ON_MS);
  });
  await Promise.all([sending, bringBack()]);
  journal.append({ kind: 'left', process: target, signalledMs, requests: balancer.requests });
}

function* eventsOf(random: SeededRandom, tenant: Tenant, number: number): Generator<Sending, never> {
  for (let n = 0; ; n++) {
    const name = `${tenant}-left-${number}-${n}`;
    yield singleOf(planEvent(random, { name, n, tenant, identity: 'event-id', form: 'json' }));
  }
}

/** Sends to one api until it is stopped, and what has no final response then to any. */
class Balancer {
  /** Numbers of the requests to that api. */
  readonly requests: number[] = [];
  private readonly toOne: Sender;
  private stopped = false;

  constructor(
    private readonly outside: Outside,
    url: string,
  ) {
    this.toOne = new Sender({ ...outside, apis: [url] }, 0, GRACE_MS);
  }

  async send(sendings: Iterable<Sending>): Promise<void> {
    const unanswered: Sending[] = [];
    for (const sending of sendings) {
      if (this.stopped) break;
      const { request, isFinal } = await this.toOne.once(sending);
      this.requests.push(request);
      if (!isFinal) unanswered.push(sending);
      await sleep(PAUSE_MS);
    }
    const toAll = new Sender(this.outside, 0);
    for (const sending of unanswered) await toAll.untilAnswered(sending);
  }

  stop(): void {
    this.stopped = true;
  }
}
