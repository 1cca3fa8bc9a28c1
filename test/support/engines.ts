import type { Pool } from 'pg';
import type { Event } from '../../src/event/event';
import type { Installation } from '../../src/integrity/installation';
import { forgetAudit } from './audit';
import { DeliveryEngine } from './delivery-engine';
import { eventually } from './eventually';
import { removeEvents, useDatabase } from './fixtures/database';
import { answer, TestReceiver, type Reaction } from './receivers/receiver';
import { givenEvents } from './rows';

/** Engines of deliveries and receivers, which are stopped after each test, and an empty database. */
export class Engines {
  private engines: DeliveryEngine[] = [];
  private receivers: TestReceiver[] = [];

  constructor(private readonly database: { readonly pool: Pool }) {}

  get pool(): Pool {
    return this.database.pool;
  }

  engine(env: Record<string, string> = {}, installation?: Installation): DeliveryEngine {
    const made = new DeliveryEngine(this.pool, { SHUTDOWN_GRACE_MS: '2000', ...env }, installation).start();
    this.engines.push(made);
    return made;
  }

  async receiver(reaction: Reaction = answer(200)): Promise<TestReceiver> {
    const made = await TestReceiver.start();
    made.reaction = reaction;
    this.receivers.push(made);
    return made;
  }

  events(n: number): Promise<Event[]> {
    return givenEvents(this.pool, n);
  }

  async count(destinationId: string, status: string): Promise<number> {
    const { rows } = await this.pool.query('select from deliveries where destination_id = $1 and status = $2', [
      destinationId,
      status,
    ]);
    return rows.length;
  }

  settled(id: string, n: number, status = 'DELIVERED', timeoutMs?: number): Promise<void> {
    return eventually(async () => expect(await this.count(id, status)).toBe(n), timeoutMs);
  }

  async clear(): Promise<void> {
    await removeEvents(this.pool);
    await this.pool.query(
      `truncate deliveries, delivery_queue, delivery_attempts, destination_failures, destination_minutes, delivery_workers,
                destinations, ordered_events, ordered_keys, changed_keys, ordered_failures, ordered_latest`,
    );
    await forgetAudit(this.pool);
    await this.pool.query('update destinations_version set version = version + 1');
  }

  async stop(): Promise<void> {
    for (const receiver of this.receivers) receiver.reaction = answer(200);
    await Promise.all(this.engines.map((engine) => engine.stop()));
    await Promise.all(this.receivers.map((receiver) => receiver.stop()));
    this.engines = [];
    this.receivers = [];
  }
}

/** Call it in a `describe`. */
export function useEngines(): Engines {
  const engines = new Engines(useDatabase());
  beforeEach(() => engines.clear());
  afterEach(() => engines.stop());
  return engines;
}
