import { Agent } from 'node:http';
import { TestCluster } from '../../support/processes/e2e-cluster';
import { storedOf } from '../../support/processes/e2e-own-servers';
import type { TestProcess } from '../../support/processes/process';
import { boxOf, storeSource } from '../../support/sources';
import { eachOf, sendWebhook, SIGNED_BODY, WEBHOOK_SECRET, type WebhookAnswer } from '../../support/sources/webhooks';

const WEBHOOKS = 5_000;
const CONNECTIONS = 100;
/** How many are answered before one of the processes is killed. */
const KILLED_AFTER = 2_000;

describe(`a burst of ${WEBHOOKS} webhooks over ${CONNECTIONS} connections`, () => {
  let cluster: TestCluster;
  let apis: [TestProcess, TestProcess];
  beforeAll(async () => {
    cluster = await TestCluster.create();
    apis = await Promise.all([cluster.start('api'), cluster.start('api')]);
  });
  afterAll(() => cluster?.drop());

  it('loses none and stores each once, although one of two processes is killed', async () => {
    const agents = apis.map(() => new Agent({ keepAlive: true, maxSockets: CONNECTIONS / 2 }));
    const source = await storeSource(cluster.pool, await boxOf(cluster.pool), {
      verification: SIGNED_BODY,
      secrets: [WEBHOOK_SECRET],
      mapping: { eventType: { template: 'a.type' }, subject: '/subject', eventId: '/id' },
    });
    const bodies = Array.from({ length: WEBHOOKS }, (_, i) => `{"id":"w-${i}","subject":"s ${i % 50}","n":${i}.10}`);
    let answered = 0;
    let killed: Promise<unknown> | undefined;
    let resent = 0;
    const send = async (body: string, to: 0 | 1): Promise<WebhookAnswer> => {
      const answer = await sendWebhook(`${apis[to].url}${source.path}`, body, { agent: agents[to] as Agent });
      expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(/"status":"(accepted|duplicate)"/)]);
      answered += 1;
      if (answered === KILLED_AFTER) killed = apis[1].end('SIGKILL');
      return answer.body;
    };
    const startedMs = performance.now();
    const answers = await eachOf(bodies, CONNECTIONS, async (body, i) => {
      if (killed !== undefined || i % 2 === 0) return send(body, 0);
      try {
        return await send(body, 1);
      } catch (error) {
        if (killed === undefined) throw error;
        resent += 1; // as a provider does when it gets no answer
        return send(body, 0);
      }
    });
    const seconds = (performance.now() - startedMs) / 1_000;
    await killed;
    for (const agent of agents) agent.destroy();
    expect(resent).toBeGreaterThan(0);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(WEBHOOKS);
    expect(answers.map(({ eventId }) => eventId)).toEqual(bodies.map((_, i) => `w-${i}`));
    expect(await storedOf(cluster.database.url, 'acme')).toEqual({
      events: WEBHOOKS,
      entries: WEBHOOKS,
      keys: WEBHOOKS,
    });
    const { rows } = await cluster.pool.query<{ id: string; payload: string }>(
      'select event_id as id, payload::text as payload from events where source_id = $1',
      [source.row.id],
    );
    expect(new Map(rows.map(({ id, payload }) => [id, payload]))).toEqual(
      new Map(bodies.map((body, i) => [`w-${i}`, body])),
    );
    expect(seconds).toBeLessThan(180); // a busy machine needs a minute
  });
});
