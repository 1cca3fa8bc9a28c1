import { ask, expectStatus } from '../../support/access/access-admin';
import { createdSource, CUSTOM } from '../../support/admin-sources';
import { postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { TestCluster } from '../../support/processes/e2e-cluster';
import type { TestProcess } from '../../support/processes/process';
import { answer, inTurn, TestReceiver } from '../../support/receivers/receiver';
import { givenDestination } from '../../support/receivers/destinations';
import { repeating, type Repeated } from '../../support/repeating';
import { countRows } from '../../support/rows';
import { sendWebhook, WEBHOOK_SECRET } from '../../support/sources/webhooks';

const DEAD_LETTERS = 6;
/** Quick looks. Thresholds that a busy machine cannot cross by itself. */
const SETTINGS = {
  OPERATOR_EVENTS: 'true',
  OPERATOR_LOOK_EVERY_SECONDS: '1',
  OPERATOR_CLEAR_AFTER_SECONDS: '2',
  OPERATOR_DESTINATION_FAILING_SECONDS: '10',
  OPERATOR_GROWING_DEAD_LETTERS: String(DEAD_LETTERS),
  OPERATOR_OUTBOX_LAG_SECONDS: '3600',
  DESTINATIONS_ALLOW_PRIVATE: 'true',
  TENANT_AUTH: 'header',
};
/** Shorter than an operator may choose. */
const EXPECT_EVERY_SECONDS = 10;
/** Until a restart, so that no pause of a busy machine seems to be one of the producer. */
const LONG_PAUSE = { OPERATOR_QUOTA_PAUSE_SECONDS: '600' };
const SHORT_PAUSE = { OPERATOR_QUOTA_PAUSE_SECONDS: '10' };
const EVERY_SECOND = Array.from({ length: 20 }, () => 1);
/** A whole look, a try and a restart, on a machine that is busy with other tests. */
const WITHIN_MS = 120_000;

const CONDITIONS = [
  { raised: 'destination.failing', cleared: 'destination.recovered' },
  { raised: 'deadletters.growing', cleared: 'deadletters.growing' },
  { raised: 'source.verification-failing', cleared: 'source.verification-failing' },
  { raised: 'source.silent', cleared: 'source.resumed' },
  { raised: 'quota.reached', cleared: 'quota.reached' },
];
const RAISED = CONDITIONS.map(({ raised }) => `${raised} raised`);
const CLEARED = CONDITIONS.map(({ cleared }) => `${cleared} cleared`);

describe('operator events of three processes that are killed and started again', () => {
  let cluster: TestCluster;
  /** Each takes events in and looks at conditions. */
  let processes: TestProcess[];
  let worker: TestProcess;
  let chat: TestReceiver;
  let shop: TestReceiver;
  const sent: Repeated[] = [];
  beforeAll(async () => {
    [chat, shop, cluster] = await Promise.all([TestReceiver.start(), TestReceiver.start(), TestCluster.create()]);
    worker = await cluster.start('worker', SETTINGS);
    processes = [];
    while (processes.length < 3) processes.push(await startGateway(LONG_PAUSE));
  }, 180_000);
  afterAll(async () => {
    await Promise.allSettled(sent.map((each) => each.stop()));
    await cluster?.drop();
    await Promise.all([chat?.stop(), shop?.stop()]);
  });

  const startGateway = (pause: object) => cluster.start('api', { ...SETTINGS, ...pause, APP_ROLE: 'api,publisher' });
  const restart = async (i: number): Promise<void> => {
    await processes[i]?.end('SIGKILL');
    processes[i] = await startGateway(SHORT_PAUSE);
  };
  const restartWorker = async (): Promise<void> => {
    await worker.end('SIGKILL');
    worker = await cluster.start('worker', SETTINGS);
  };
  /** One that was not killed. Producers turn to it when another one does not answer. */
  let turn = 0;
  const url = (): string => {
    const alive = processes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    return (alive[turn++ % alive.length] as TestProcess).url;
  };
  const repeat = (everyMs: number, act: () => Promise<unknown>): Repeated => {
    const started = repeating(everyMs, act);
    sent.push(started);
    return started;
  };
  const webhook = (path: string, secret: string) => {
    const id = `w-${turn}-${Math.random()}`;
    return sendWebhook(`${url()}${path}`, JSON.stringify({ id, type: 'sale' }), { secret });
  };

  /** What the chat has taken. It takes no event at once, and one that comes yet again has the same id and counts once. */
  const told = (): string[] => {
    const taken = chat.received.filter(({ nth }) => nth > 1);
    const byId = new Map(taken.map(({ headers, body }) => [headers['webhook-id'], body]));
    return [...byId.values()]
      .map((body) => {
        const [type = '', , state = ''] = ((JSON.parse(body) as { text: string }).text.split('\n')[1] ?? '').split(
          ' · ',
        );
        return `${type} ${state === 'cleared' ? 'cleared' : 'raised'}`;
      })
      .toSorted();
  };
  const isTold = (expected: readonly string[]) =>
    eventually(() => expect(told()).toEqual([...expected].toSorted()), WITHIN_MS);
  const isFirstTold = (count: number) =>
    eventually(() => expect(told().length).toBeGreaterThanOrEqual(count), WITHIN_MS);

  it('are told once when raised and once when cleared, each in Slack', async () => {
    chat.reaction = inTurn(answer(503), answer(200));
    shop.reaction = (response, received) => answer(received.body.includes('refused') ? 422 : 503)(response, received);
    const register = (tenantId: string, to: string, more: object = {}) =>
      givenDestination(url(), { tenantId, url: to, retrySchedule: EVERY_SECOND, ...more });
    await register('streamforge', `${chat.url}/slack`, { format: 'slack' });
    const { id: failing } = await register('acme', `${shop.url}/shop`, { eventTypes: ['order', 'refused'] });
    const event = (eventType: string) => JSON.stringify({ eventType, subject: 's', payload: { n: Math.random() } });

    // A receiver fails, and refuses some events for good.
    await postEvent(url(), 'acme', event('order'));
    for (let i = 0; i < DEAD_LETTERS; i++) await postEvent(url(), 'acme', event('refused'));
    // A producer has a wrong secret.
    const [wrong, silent] = await Promise.all(
      ['wrong', 'silent'].map(async (name) => {
        const made = await createdSource(url(), { ...CUSTOM, tenantId: 'acme', name, secrets: [WEBHOOK_SECRET] });
        return { id: made.id, path: new URL(made.url).pathname };
      }),
    );
    if (!wrong || !silent) throw new Error('no sources');
    const guessing = repeat(300, () => webhook(wrong.path, 'another secret of a webhook'));
    // Another one falls silent.
    expect(await webhook(silent.path, WEBHOOK_SECRET)).toMatchObject({ status: 200 });
    await cluster.pool.query('update sources set expect_every_seconds = $1 where id = $2', [
      EXPECT_EVERY_SECONDS,
      silent.id,
    ]);
    // A tenant has used up its limit, and goes on.
    const small = { id: 'small', name: 'Small', eventsPerMinute: 1 };
    await expectStatus(201, ask(url(), 'POST', 'tenants', { body: small }));
    const flooding = repeat(300, () => postEvent(url(), 'small', event('a')));

    await isFirstTold(1);
    await restart(0);
    await isTold(RAISED);
    await Promise.all([restart(1), restartWorker()]);
    await isTold(RAISED);

    await Promise.all([guessing.stop(), flooding.stop()]);
    const restarted = restart(2); // the last one with the long pause
    shop.reaction = answer(200);
    await eventually(async () => {
      await expectStatus(202, ask(url(), 'POST', 'deliveries/retry', { body: { destinationId: failing } }));
      await expect(countRows(cluster.pool, `deliveries where status = 'FAILED'`)).resolves.toBe(0);
    });
    for (const { path } of [wrong, silent]) repeat(500, () => webhook(path, WEBHOOK_SECRET));
    await restarted;
    await isFirstTold(RAISED.length + 1);
    await restart(0);
    await isTold([...RAISED, ...CLEARED]);
    await expectStatus(200, ask(url(), 'PATCH', `sources/${silent.id}`, { body: { expectEverySeconds: 86_400 } }));

    // Whatever would have been told twice was told before this.
    const { id: gone } = await register('acme', `${shop.url}/gone`, { eventTypes: ['gone'] });
    shop.reaction = answer(410);
    await postEvent(url(), 'acme', event('gone'));
    await isTold([...RAISED, ...CLEARED, 'destination.disabled raised']);
    const { rows } = await cluster.pool.query<{ kind: string; subject: string }>(
      'select kind, subject from operator_conditions',
    );
    expect(rows).toEqual([{ kind: 'destination.disabled', subject: gone }]);
    await expectPairs();
  }, 300_000);

  /** The event that clears a condition has the incident of the one that raised it. */
  const expectPairs = async (): Promise<void> => {
    const { rows } = await cluster.pool.query<{ types: string[]; states: string[] }>(
      `select array_agg(type order by id) as types, array_agg(payload::json ->> 'state' order by id) as states
         from events where tenant_id = 'streamforge' and type <> 'destination.disabled'
        group by payload::json ->> 'incident'`,
    );
    expect(rows).toHaveLength(CONDITIONS.length);
    expect(rows).toEqual(
      expect.arrayContaining(
        CONDITIONS.map(({ raised, cleared }) => ({ types: [raised, cleared], states: ['raised', 'cleared'] })),
      ),
    );
  };
});
