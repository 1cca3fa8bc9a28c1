import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource, type SourceFields } from '../../support/sources';
import { eachOf, sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';

/** Expressions that do not end, or need more than they may have. */
const HOSTILE: Record<string, string> = {
  'a loop': '($f := function($n) { $f($n + 1) }; $f(1))',
  'a function that calls itself without end': '($f := function($n) { 1 + $f($n + 1) }; $f(1))',
  'a range of a billion': '$sum([1..1000000000])',
  'a list of lists': '($a := [1..100000]; $count($a.($a)))',
  'a text that doubles': '($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f("xxxxxxxx", 40))',
  'a large result': '$pad("", 2000000, "x")',
  'an error of its own': '$error("no shop")',
  'a type that does not fit': '$uppercase(n)',
};

describe('expressions of sources', () => {
  const running = useApp();
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  let distinct = 0;
  afterAll(() => agent.destroy());

  const given = (mapping: SourceFields['mapping']): Promise<GivenSource> =>
    givenSource(running.app, running.pool, { verification: SIGNED_BODY, secrets: [WEBHOOK_SECRET], mapping });
  const send = (source: GivenSource, body: string, suffix = '', headers = {}) =>
    sendWebhook(`${running.url}${source.path}${suffix}`, body, { agent, headers });
  const fresh = (): string => `{"n":${(distinct += 1)}}`;
  const read = async (id: string) => running.http.get(`/v1/events/${id}`).set('X-Tenant-Id', 'acme');

  it('see the body, the headers, the query and the path, and compute', async () => {
    const source = await given({
      eventType: '$headers.`X-Topic` & "." & $query.kind',
      subject: '$substringAfter($path, "/shops/")',
      eventId: 'order.id',
      occurredAt: '$fromMillis(order.at)',
      partitionKey: '$string($count(order.lines))',
      payload: '{ "total": $sum(order.lines.(price * amount)), "names": order.lines.name, "id": order.id }',
    });
    const order = `{"order":{"id":12345678901234567890,"at":1767225600000,"lines":[{"name":"a","price":1.5,"amount":2},{"name":"b","price":0.25,"amount":4}]}}`;
    const answer = await send(source, order, '/shops/7?kind=paid', { 'x-topic': 'order' });
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"accepted"')]);
    const event = await read(answer.body.id);
    expect(event.body).toMatchObject({
      type: 'order.paid',
      subject: '7',
      eventId: '12345678901234567890', // a plain path keeps the digits
      occurredAt: '2026-01-01T00:00:00.000Z',
      partitionKey: '2',
    });
    expect(event.text).toContain('"payload":{"total":4,"names":["a","b"],"id":12345678901234567000}'); // a computed double
    const { rows } = await running.pool.query<{ body: Buffer }>(
      'select r.body from received_requests r join events e on e.request_id = r.id where e.id = $1',
      [answer.body.id],
    );
    expect(rows[0]?.body.toString()).toBe(order);
  });

  it.each(Object.entries(HOSTILE))('are stopped and named in the rejection: %s', async (_what, subject) => {
    const source = await given({ eventType: { template: 'a.type' }, subject });
    const body = fresh();
    const answer = await send(source, body);
    expect([answer.status, answer.body.errors]).toEqual([
      200,
      [
        {
          code: 'invalid-event',
          pointer: '/subject',
          message: expect.stringContaining(`mapping.subject: ${subject} `) as string,
        },
      ],
    ]);
    const { rows } = await running.pool.query<{ body: Buffer }>('select body from rejections where id = $1', [
      answer.body.rejectionId,
    ]);
    expect(rows[0]?.body.toString()).toBe(body);
  });

  it('that loop delay other expressions by little, and sources without expressions not at all', async () => {
    const pointers = await given({ eventType: { template: 'a.type' }, subject: '/n' });
    const computed = await given({ eventType: { template: 'a.type' }, subject: '$string(n + 1)' });
    const hostile = await given({ eventType: { template: 'a.type' }, subject: HOSTILE['a loop'] });
    await Promise.all([send(pointers, fresh()), send(computed, fresh()), send(hostile, fresh())]);

    /** The p99 of both sources while something goes on. */
    const during = async (something: Promise<unknown>): Promise<{ pointers: number; computed: number }> => {
      let isOver = false;
      void something.finally(() => (isOver = true));
      const p99Of = async (source: GivenSource): Promise<number> => {
        const took: number[] = [];
        while (!isOver) {
          const startedMs = performance.now();
          const answer = await send(source, fresh());
          expect([answer.status, answer.body.status]).toEqual([200, 'accepted']);
          took.push(performance.now() - startedMs);
        }
        return took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)] as number;
      };
      const [ofPointers, ofComputed] = await Promise.all([p99Of(pointers), p99Of(computed)]);
      return { pointers: ofPointers, computed: ofComputed };
    };
    const calm = await during(sleep(2_000));
    const loops = eachOf(Array.from({ length: 12 }), 12, () => sendWebhook(`${running.url}${hostile.path}`, fresh()));
    const disturbed = await during(loops);
    const answers = await loops;
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual(answers.map(() => [200, 'rejected']));
    // The machine may be busy with other things. A computed one waits for a time limit and the start of a process.
    expect(disturbed.pointers).toBeLessThan(250 + 5 * calm.pointers);
    expect(disturbed.computed).toBeLessThan(2_000 + 5 * calm.computed);
  });

  it('over each record of a long list take time in proportion to its length', async () => {
    const source = await given({ records: '/items', eventType: '"a." & kind', subject: '$string(n)' });
    const list = (count: number): string => {
      const items = Array.from(
        { length: count },
        () => `{"kind":"b","n":${(distinct += 1)},"text":"${'x'.repeat(150)}"}`,
      );
      return `{"items":[${items.join(',')}]}`;
    };
    const timed = async (count: number): Promise<number> => {
      const startedMs = performance.now();
      const answer = await send(source, list(count));
      expect([answer.status, answer.body.summary]).toMatchObject([200, { records: count, accepted: count }]);
      return performance.now() - startedMs;
    };
    await timed(10);
    const shortMs = await timed(200);
    expect(await timed(1_600)).toBeLessThan(8 * 3 * shortMs);
  });

  it('that loop in each record of a list do not hold up the request for longer than its limit', async () => {
    const loops = `n < 0 ? ${HOSTILE['a loop']} : $string(n)`;
    const looping = await given({ records: '/items', eventType: { template: 'a.type' }, subject: loops });
    const items = Array.from({ length: 300 }, (_, i) => `{"n":${i < 3 ? i : -i}}`);
    const startedMs = performance.now();
    const answer = await send(looping, `{"items":[${items.join(',')}]}`);
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect([answer.status, answer.body.summary]).toMatchObject([200, { records: 300, accepted: 3, rejected: 297 }]);
    const { rows } = await running.pool.query<{ n: number; late: number }>(
      `select count(*)::int as n, (count(*) filter (where message like '%took more than%'))::int as late
         from rejections where source_id = $1`,
      [looping.row.id],
    );
    expect(rows).toEqual([{ n: 297, late: expect.any(Number) as number }]);
    expect(rows[0]?.late).toBeGreaterThan(100);
  });
});
