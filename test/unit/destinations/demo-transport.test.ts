import type { SealedDestination } from '../../../src/destinations/destination';
import { DemoTransport } from '../../../src/destinations/transports/demo-transport';
import type { DeliveryMessage } from '../../../src/destinations/transports/transport';

describe('the demo receiver', () => {
  const demo = new DemoTransport();
  const answerOf = (url: string, body: string) =>
    demo
      .open({ url } as SealedDestination)
      .send({} as DeliveryMessage, { body: Buffer.from(body), headers: {} }, new AbortController().signal);

  it.each(['{"payload":{"amount":10.10}}', '{"payload":{}}', '{"payload":[]}', '{"payload":null}', 'null', 'text', ''])(
    'takes %s',
    async (body) => expect(await answerOf('demo://accounting', body)).toMatchObject({ kind: 'answered', status: 200 }),
  );

  it.each(['demo://accounting', 'demo://accounting?status=404'])('refuses an amount that is text, at %s', async (url) =>
    expect(await answerOf(url, '{"payload":{"amount":"56,90"}}')).toEqual({
      ...{ kind: 'answered', status: 422, text: 'payload.amount must be a number, not "56,90"' },
    }),
  );

  it('responds with the status in its URL to everything else', async () => {
    expect(await answerOf('demo://accounting?status=404', '{"payload":{"amount":1}}')).toMatchObject({
      status: 404,
      text: 'the demo receiver accounting responds so to everything while its URL says status=404',
    });
    expect(await answerOf('demo://accounting?status=204', '{}')).toEqual({ kind: 'answered', status: 204, text: '' });
  });

  it.each([
    ['demo://accounting', undefined],
    ['demo://accounting?status=503', undefined],
    ['demo:///', 'must name a receiver, such as demo://accounting'],
    ['demo://a?status=99', 'must have a status from 200 to 599, not 99'],
    ['demo://a?status=', 'must have a status from 200 to 599, not '],
  ])('judges the URL %s', (url, refusal) => expect(demo.refusalOf(new URL(url), false)).toBe(refusal));

  it('is refused in production', () => {
    expect(demo.refusalOf(new URL('demo://accounting'), true)).toContain('production');
  });
});
