import { setTimeout as sleep } from 'node:timers/promises';
import { entriesOf, type Journal } from '../../run/journal';
import { SeededRandom, seedFor } from '../random';
import { tenantOf, type Tenant } from '../tenants';
import type { Admin } from './admin';
import { reviseDeadLetter } from './revise';

/** Something has been accepted by then. */
const FIRST_AFTER_MS = 3_000;
const PAUSE_MS = { least: 1_000, most: 4_000 };
/** Dead letters are few, and are soon retried or discarded. So it waits for one. */
const PATIENCE_MS = 8_000;
const LOOK_EVERY_MS = 300;
/** Events that are erased at a time. The newest are those that clients most likely send again. */
const ERASED = { most: 2, among: 40 };
/** Share of answered actions that are sent once more, with the same key. */
const AGAIN = 0.3;

interface Erasable {
  tenantId: Tenant;
  /** The event's id, and the producer's if it sent one. */
  names: readonly string[];
}

/** A second operator, who revises dead letters and erases events. */
export class Amender {
  private readonly stopping = new AbortController();
  private readonly random: SeededRandom;
  private readonly erased = new Set<string>();

  constructor(
    seed: number,
    private readonly admin: Admin,
    private readonly journal: Journal,
  ) {
    this.random = new SeededRandom(seedFor(seed, 'amender'));
  }

  async run(): Promise<void> {
    const { random } = this;
    await this.pause(FIRST_AFTER_MS);
    while (!this.isStopped) {
      await this.erase();
      await this.revise();
      await this.pause(random.between(PAUSE_MS.least, PAUSE_MS.most));
    }
  }

  /** Stops after the current action. */
  stop(): void {
    this.stopping.abort();
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Ends early when it is stopped. */
  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal }).catch((error: unknown) => {
      if (!this.isStopped) throw error;
    });
  }

  private async revise(): Promise<void> {
    const { admin, random } = this;
    const again = random.chance(AGAIN);
    const untilMs = Date.now() + PATIENCE_MS;
    while (!(await reviseDeadLetter(admin, random, again)) && Date.now() < untilMs && !this.isStopped) {
      await this.pause(LOOK_EVERY_MS);
    }
  }

  /** Erases events of one tenant, by their ids or by those of their producer. */
  private async erase(): Promise<void> {
    const { random } = this;
    const [first, ...others] = random.shuffled(this.newestAccepted());
    if (!first) return;
    const chosen = [first, ...others.filter(({ tenantId }) => tenantId === first.tenantId)].slice(
      0,
      random.between(1, ERASED.most),
    );
    for (const { names } of chosen) this.erased.add(names[0] as string);
    const request = {
      tenantId: first.tenantId,
      eventIds: chosen.map(({ names }) => random.pick(names)),
      note: 'verify',
    };
    await this.admin.act('erasure', 'erasures', request, random.chance(AGAIN));
  }

  /** The newest events that were accepted, apart from those of sources: they may share a request with others. */
  private newestAccepted(): Erasable[] {
    const { entries } = this.journal;
    const webhooks = new Set(
      entriesOf(entries, 'sent').flatMap(({ request, toSource }) => (toSource === undefined ? [] : [request])),
    );
    const told = entriesOf(entries, 'answered').flatMap((one) => (webhooks.has(one.request) ? [] : one.told));
    return told
      .filter(({ outcome, fields }) => outcome === 'accepted' && typeof fields?.id === 'string')
      .map(({ name, fields }) => ({ tenantId: tenantOf(name), names: namesIn(fields) }))
      .filter(({ names }) => !this.erased.has(names[0] as string))
      .slice(-ERASED.among);
  }
}

const namesIn = ({ id, eventId }: Record<string, unknown> = {}): string[] =>
  [id, eventId].filter((one): one is string => typeof one === 'string');
