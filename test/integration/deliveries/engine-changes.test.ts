import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { MOST_AGE_MS } from '../../../src/db/fresh-copy';
import { inTransaction } from '../../../src/db/pool';
import { closeDestination } from '../../../src/delivery-state/close-destination.queries';
import type { Event } from '../../../src/event/event';
import { ThisInstallation } from '../../../src/installation/this-installation';
import { useEngines } from '../../support/engines';
import { eventually } from '../../support/eventually';
import { givenQueued } from '../../support/queued-deliveries';
import { answer, type Reaction } from '../../support/receivers/receiver';
import { countRows } from '../../support/rows';

/** Keeps responses until the test lets them go. */
class Held {
  readonly responses: ServerResponse[] = [];
  readonly reaction: Reaction = (response) => void this.responses.push(response);

  let(status: number): void {
    for (const response of this.responses.splice(0)) response.writeHead(status).end();
  }
}

describe('deliveries whose destination or database changes meanwhile', () => {
  const scene = useEngines();

  const isEnabled = async (id: string): Promise<boolean | undefined> => {
    const { rows } = await scene.pool.query<{ enabled: boolean }>('select enabled from destinations where id = $1', [
      id,
    ]);
    return rows[0]?.enabled;
  };
  const leased = async (): Promise<number> => {
    const { rows } = await scene.pool.query('select from delivery_queue where lease is not null');
    return rows.length;
  };
  const waiting = async (): Promise<number> => {
    const { rows } = await scene.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length;
  };
  const disabled = (id: string): Promise<void> => eventually(async () => expect(await isEnabled(id)).toBe(false));

  it('what was claimed in a database that took the place of another one is not sent, but stays in the queue', async () => {
    const to = await scene.receiver();
    const installation = new ThisInstallation(scene.pool);
    const one = scene.engine({}, installation);
    const id = await one.destination({ url: to.url });
    await givenQueued(scene.pool, id, await scene.events(1));
    await scene.settled(id, 1);
    const told = new Promise<void>((resolve) => installation.onMoved(resolve));
    await scene.pool.query(`update installation set home = home || ' of before'`);
    // Without a lost connection, as behind a pooler that leads to another server now.
    await scene.pool.query('update database_history set token = gen_random_uuid()');
    await givenQueued(scene.pool, id, await scene.events(1));
    await told;
    expect(to.received).toHaveLength(1);
    await scene.pool.query(`update installation set home = replace(home, ' of before', '')`);
    await scene.pool.query('update delivery_queue set lease = null, due_at = now()'); // the lease would expire
    await scene.settled(id, 2);
  });

  it('a first try whose lease is almost over is not sent: it is released, and leased again', async () => {
    let used: Promise<{ rows: { lease: string }[] }> | undefined;
    const to = await scene.receiver((response, received) => {
      used = scene.pool.query('select lease from delivery_queue');
      void used.then(() => answer(200)(response, received));
    });
    const one = scene.engine();
    const id = await one.destination({ url: to.url });
    const { token } = await one.settle(await scene.events(1), { leasedAgoMs: 44_500 }); // of 45 s
    await scene.settled(id, 1);
    expect(to.received).toHaveLength(1);
    expect((await used)?.rows[0]?.lease).not.toBe(token);
  });

  it('no leased delivery is sent once a destination has been paused for as long as its state may be old', async () => {
    const held = new Held();
    const to = await scene.receiver(
      (response, received) => void setTimeout(() => answer(200)(response, received), 5), // some are then leased ahead
    );
    const one = scene.engine();
    const id = await one.destination({ url: to.url, timeoutMs: 20_000 });
    await givenQueued(scene.pool, id, await scene.events(2_000));
    await eventually(() => expect(to.received.length).toBeGreaterThan(300));
    to.reaction = held.reaction;
    await eventually(async () => {
      const sent = held.responses.length;
      await expect(scene.count(id, 'DELIVERED')).resolves.toBe(to.received.length - sent);
      expect(await leased()).toBeGreaterThan(sent);
    });
    await scene.pool.query('update destinations set paused_at = now() where id = $1', [id]);
    await sleep(MOST_AGE_MS);
    const sent = to.received.length;
    held.let(200);
    await eventually(async () => expect(await leased()).toBe(0));
    expect(to.received).toHaveLength(sent);
  });

  it('is disabled by a 410 whose delivery another worker has taken over', async () => {
    const held = new Held();
    const to = await scene.receiver(held.reaction);
    const one = scene.engine();
    const id = await one.destination({ url: to.url, timeoutMs: 20_000 });
    await one.settle(await scene.events(1));
    await eventually(() => expect(held.responses).toHaveLength(1));
    await scene.pool.query(`update delivery_queue set lease = gen_random_uuid(), due_at = now() + interval '1 hour'`);
    held.let(410);
    await disabled(id);
  });

  it('is disabled by one of many answers of 410 at the same time', async () => {
    const held = new Held();
    const to = await scene.receiver();
    const one = scene.engine();
    const id = await one.destination({ url: to.url, timeoutMs: 20_000, maxInFlight: 64 });
    await givenQueued(scene.pool, id, await scene.events(150));
    await scene.settled(id, 150);
    to.reaction = held.reaction;
    await givenQueued(scene.pool, id, await scene.events(80));
    await eventually(() => expect(held.responses).toHaveLength(64));
    await inTransaction(scene.pool, async (db) => {
      await db.query('select from destinations for update'); // whoever disables it waits
      held.let(410);
      await scene.settled(id, 64, 'FAILED');
      await eventually(async () => expect(await waiting()).toBe(1));
    });
    await eventually(async () => {
      await closeDestination(scene.pool, id, 1_000); // a chore of the leader
      await expect(countRows(scene.pool, 'delivery_queue')).resolves.toBe(0);
    });
    await expect(isEnabled(id)).resolves.toBe(false);
    await expect(countRows(scene.pool, 'admin_audit')).resolves.toBe(1);
  });

  it('is not disabled by a late 410 of the URL that it had before', async () => {
    const held = new Held();
    const [before, after] = [await scene.receiver(held.reaction), await scene.receiver()];
    const one = scene.engine();
    const id = await one.destination({ url: before.url, timeoutMs: 20_000 });
    await one.settle(await scene.events(1));
    await eventually(() => expect(held.responses).toHaveLength(1));
    await scene.pool.query('update destinations set url = $2 where id = $1', [id, after.url]);
    await sleep(2 * MOST_AGE_MS);
    held.let(410);
    await scene.settled(id, 1, 'FAILED');
    await sleep(300);
    await one.settle(await scene.events(1));
    await scene.settled(id, 1);
    expect(after.received).toHaveLength(1);
    await expect(isEnabled(id)).resolves.toBe(true);
  });

  it('keeps what was accepted while PostgreSQL is read-only, and records it afterwards', async () => {
    await scene.pool.query(
      `create or replace function refuse() returns trigger language plpgsql as
         $$ begin raise exception 'read-only' using errcode = '25006'; end $$;
       create trigger refuse before insert on delivery_attempts for each statement execute function refuse()`,
    );
    const to = await scene.receiver();
    const one = scene.engine();
    const id = await one.destination({ url: to.url });
    try {
      await one.settle(await scene.events(3));
      await eventually(() => expect(to.received).toHaveLength(3));
      await sleep(700);
      await expect(scene.count(id, 'OPEN')).resolves.toBe(3);
    } finally {
      await scene.pool.query('drop trigger refuse on delivery_attempts');
    }
    await scene.settled(id, 3);
    expect(to.received).toHaveLength(3);
  });

  it('keeps what was accepted while a table is being replaced, and records it afterwards', async () => {
    const to = await scene.receiver();
    const one = scene.engine();
    const id = await one.destination({ url: to.url });
    await scene.pool.query('alter table delivery_attempts rename to replaced_attempts');
    try {
      await one.settle(await scene.events(3));
      await eventually(() => expect(to.received).toHaveLength(3));
      await sleep(700);
      await expect(scene.count(id, 'OPEN')).resolves.toBe(3);
    } finally {
      await scene.pool.query('alter table replaced_attempts rename to delivery_attempts');
    }
    await scene.settled(id, 3);
    expect(to.received).toHaveLength(3);
  });

  it('sends what a claim has leased, although an orphan of the same claim cannot be removed', async () => {
    const to = await scene.receiver();
    const one = scene.engine();
    const id = await one.destination({ url: to.url });
    const [orphan, ...others] = (await scene.events(4)) as [Event, ...Event[]];
    await scene.pool.query(
      `create or replace function refuse() returns trigger language plpgsql as
         $$ begin raise exception 'not this one' using errcode = '55P03'; end $$;
       create trigger refuse before delete on delivery_queue for each row when (old.event_id = '${orphan.id}')
         execute function refuse()`,
    );
    try {
      await givenQueued(scene.pool, id, [orphan, ...others]);
      await scene.pool.query('delete from deliveries where event_id = $1', [orphan.id]);
      await scene.settled(id, 3);
      expect(to.received).toHaveLength(3);
    } finally {
      await scene.pool.query('drop trigger refuse on delivery_queue');
    }
  });
});
