import { Agent } from 'node:http';
import * as path from 'node:path';
import { allCompleted, TestCluster, type Role } from '../../support/processes/e2e-cluster';
import { postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { givenDestination } from '../../support/receivers/destinations';
import { TestReceiver } from '../../support/receivers/receiver';
import type { TestProcess } from '../../support/processes/process';

const TENANT = 'ordered';
const KEYS = 6;
const EVENTS_OF_KEY = 12;
const ORDERED_HANDLER = path.resolve(__dirname, '../../support/processes/ordered-handler.js');
const ENV = {
  DESTINATIONS_ALLOW_PRIVATE: 'true',
  RETRY_BACKOFF_MS: '50',
  NODE_OPTIONS: `--require ${ORDERED_HANDLER}`,
};

/** Without those that follow themselves: a delivery or an effect may come twice. */
const withoutRepeats = (list: readonly number[]): number[] => list.filter((one, i) => one !== list[i - 1]);
const IN_ORDER = Array.from({ length: EVENTS_OF_KEY }, (_, nth) => nth);

describe('the order of each key, with two processes of each role', () => {
  let cluster: TestCluster;
  let receiver: TestReceiver;
  const processes: Record<Role, TestProcess[]> = { api: [], publisher: [], worker: [] };
  const agent = new Agent({ keepAlive: true });
  beforeAll(async () => {
    cluster = await TestCluster.create();
    await cluster.pool.query('create table handled (n bigserial, event_id uuid)');
    // One after the other: those that start at once starve each other on a small machine.
    for (const role of ['api', 'publisher', 'worker'] as const) {
      for (let n = 0; n < 2; n++) processes[role].push(await cluster.start(role, ENV));
    }
    receiver = await TestReceiver.start();
    receiver.reaction = (response, { nth, body }) => {
      const { partitionKey, payload } = JSON.parse(body) as { partitionKey: string; payload: { nth: number } };
      const fails = nth === 1 && (payload.nth + partitionKey.length) % 3 === 0;
      response.writeHead(fails ? 503 : 204).end();
    };
    await givenDestination((processes.api[0] as TestProcess).url, {
      tenantId: TENANT,
      url: receiver.url,
      ordering: 'key',
      timeoutMs: 1_000,
      retrySchedule: [0.1, 0.1, 1],
    });
  }, 120_000);
  afterAll(async () => {
    agent.destroy();
    await cluster.drop();
    await receiver.stop();
  });

  const accepted = new Map<string, { key: string; nth: number }>();

  /** Sends the events of a key one after the other, each until one of the apis accepts it. */
  const produce = async (key: string, type: string): Promise<void> => {
    for (const nth of IN_ORDER) {
      const body = JSON.stringify({
        eventId: `${type}-${key}-${nth}`,
        ...{ eventType: type, subject: key, partitionKey: key, payload: { nth } },
      });
      for (let tries = 0, done = false; !done; tries++) {
        const { url } = processes.api[(nth + tries) % 2] as TestProcess;
        try {
          const answer = await postEvent(url, TENANT, body, {}, agent);
          done = answer.status === 202 || answer.status === 200;
          if (done) accepted.set(answer.body.id, { key, nth });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === undefined) throw error; // anything but a broken connection
        }
        expect(tries).toBeLessThan(100);
      }
    }
  };

  const orderOf = (ids: readonly string[], key: string): number[] =>
    ids.flatMap((id) => {
      const event = accepted.get(id);
      return event?.key === key ? [event.nth] : [];
    });

  it('holds at an ordered destination and in an ordered handler while one of each role is killed', async () => {
    const keys = Array.from({ length: KEYS }, (_, n) => `key-${n}`);
    const load = Promise.all(keys.map((key, n) => produce(key, n % 2 === 0 ? 'ledger.booked' : 'order.paid')));
    for (const [role, after] of [
      ['api', 12],
      ['worker', 24],
      ['publisher', 36],
    ] as const) {
      await eventually(() => expect(accepted.size).toBeGreaterThan(after));
      await (processes[role][0] as TestProcess).end('SIGKILL');
    }
    await load;
    expect(accepted.size).toBe(KEYS * EVENTS_OF_KEY);
    await allCompleted(cluster.pool, TENANT, accepted.size, 60_000);
    const delivered = receiver.received.map(({ headers }) => String(headers['webhook-id']));
    for (const key of keys) expect([key, withoutRepeats(orderOf(delivered, key))]).toEqual([key, IN_ORDER]);

    const { rows } = await cluster.pool.query<{ id: string }>('select event_id as id from handled order by n');
    const handled = rows.map(({ id }) => id);
    const ofLedger = keys.filter((_, n) => n % 2 === 0);
    for (const key of ofLedger) expect([key, orderOf(handled, key)]).toEqual([key, IN_ORDER]);
    await eventually(async () => {
      const left = await cluster.pool.query('select from ordered_events');
      expect(left.rowCount).toBe(0);
    }, 10_000);
  }, 120_000);
});
