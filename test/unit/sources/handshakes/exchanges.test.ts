import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compileHandshakes, type HandshakePlan } from '../../../../src/sources/handshakes/answer-handshake';
import { HANDSHAKES, type HandshakeName } from '../../../../src/sources/handshakes/handshakes';
import { asReceived } from '../../../support/sources/as-received';
import { load, type SentRequest } from '../../../support/sources/proof';
import { CONFIRMATION } from '../providers/cloud/sns-messages';
import { answerOfZoom, signedByZoom } from '../providers/work/zoom.proof';
import { EXCHANGES, json, JSON_UTF8, request } from './documented-exchanges';

const SECRET = 'the newest secret';

/** How a source with a handshake answers a request; undefined if the request is not the handshake. */
function planOf(name: HandshakeName, sent: SentRequest): (HandshakePlan & { verified: boolean }) | undefined {
  for (const handshake of compileHandshakes(HANDSHAKES[name], 'hmac')) {
    const plan = handshake.plan(asReceived(sent, new Date()), SECRET);
    if (plan) return { ...plan, verified: handshake.verified };
  }
  return undefined;
}

describe('handshakes, as the provider documents them', () => {
  it.each(EXCHANGES.map((exchange) => [exchange.handshake, exchange.documented, exchange] as const))(
    '%s: %s',
    (handshake, _documented, { request: sent, verified, status, contentType, body, headers }) => {
      const plan = planOf(handshake, sent);
      expect(plan).toMatchObject({ verified, confirm: undefined });
      expect(plan?.answer).toEqual({
        status,
        headers: { 'x-content-type-options': 'nosniff', ...headers },
        ...(body === undefined ? {} : { body, contentType }),
      });
    },
  );

  it('zoom: the answer is that of @zoom/rivet', async () => {
    const body =
      '{"event":"endpoint.url_validation","event_ts":1654503849680,"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}';
    const sent = signedByZoom(request('POST', '', { 'content-type': 'application/json' }, body), SECRET, new Date());
    const ofZoom = await answerOfZoom(sent, SECRET);
    const plan = planOf('zoom', sent);
    expect(plan).toMatchObject({ verified: true, answer: { status: ofZoom.statusCode, contentType: JSON_UTF8 } });
    expect(JSON.parse(plan?.answer.body ?? '')).toEqual(JSON.parse(ofZoom.body));
  });

  it('cloudevents: @azure/web-pubsub-express answers the same request with consent as well', async () => {
    const sent = request('OPTIONS', '', { 'webhook-request-origin': 'eventgrid.azure.net', 'ce-awpsversion': '1.0' });
    const ofAzure = await answerOfAzure(sent);
    expect(ofAzure).toEqual({ status: 200, origin: '*' });
    const { status, headers } = planOf('cloudevents', sent)?.answer ?? {};
    expect({ status, origin: headers?.['webhook-allowed-origin'] }).toEqual({
      status: 200,
      origin: 'eventgrid.azure.net',
    });
  });

  // https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html
  it('aws-sns: the subscription is confirmed by a request to its URL', () => {
    const plan = planOf('aws-sns', json(CONFIRMATION));
    expect(plan).toMatchObject({ verified: true, answer: { status: 200 } });
    expect(plan?.confirm?.href).toBe(CONFIRMATION.SubscribeURL);
  });
});

interface AzurePackage {
  WebPubSubEventHandler: new (
    hub: string,
    options: { path: string },
  ) => { getMiddleware(): (request: object, response: object, next: () => void) => void };
}

/** The package is a middleware of Express, so it needs a connection. */
async function answerOfAzure({ method, headers }: SentRequest): Promise<{ status: number; origin: string | null }> {
  const { WebPubSubEventHandler } = await load<AzurePackage>('@azure/web-pubsub-express');
  const middleware = new WebPubSubEventHandler('hub', { path: '/hook/' }).getMiddleware();
  const server = createServer((received, response) => {
    middleware(Object.assign(received, { baseUrl: '', path: '/hook/' }), response, () => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/hook/`, { method, headers });
    await response.arrayBuffer();
    return { status: response.status, origin: response.headers.get('webhook-allowed-origin') };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('what is not a handshake', () => {
  it.each<[HandshakeName, string, SentRequest]>([
    ['slack', 'an event', json({ type: 'event_callback', challenge: 'x' })],
    ['slack', 'a challenge by GET', request('GET', '?type=url_verification&challenge=x')],
    ['meta', 'another mode', request('GET', '?hub.mode=unsubscribe&hub.challenge=1')],
    ['meta', 'a GET without a challenge', request('GET', '?hub.mode=subscribe')],
    ['meta', 'an event', json({ object: 'page', entry: [] })],
    ['okta', 'a POST with the header', json({}, { 'x-okta-verification-challenge': 'x' })],
    ['zoom', 'an event', json({ event: 'meeting.started', payload: { plainToken: 'x' } })],
    ['zoom', 'a validation without a token', json({ event: 'endpoint.url_validation', payload: {} })],
    ['microsoft-graph', 'a notification', json({ value: [] })],
    ['azure-event-grid', 'an event', json([{ data: { validationCode: 'x' } }], { 'aeg-event-type': 'Notification' })],
    ['cloudevents', 'a preflight request of a browser', request('OPTIONS', '', { origin: 'https://a.example' })],
    ['discord', 'an event', json({ version: 1, type: 1, event: { type: 'ENTITLEMENT_CREATE' } })],
    ['discord-interactions', 'a command', json({ type: 2, token: 't' })],
    ['dropbox', 'a notification', json({ list_folder: { accounts: ['x'] } })],
    ['aws-sns', 'a notification', json({ ...CONFIRMATION, Type: 'Notification' })],
  ])('%s: %s', (handshake, _name, sent) => {
    expect(planOf(handshake, sent)).toBeUndefined();
  });

  it.each([
    'https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=x',
    'https://sns.eu-central-1.amazonaws.com/?Action=Publish&Action=ConfirmSubscription',
    'https://sns.eu-central-1.amazonaws.com:444/?Action=ConfirmSubscription&Token=x',
    'http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=x',
    'https://sns.evil.example/?Action=ConfirmSubscription&Token=x',
    'https://169.254.169.254/?Action=ConfirmSubscription&Token=x',
  ])('aws-sns: %s is not fetched', (url) => {
    expect(planOf('aws-sns', json({ ...CONFIRMATION, SubscribeURL: url }))).toBeUndefined();
  });

  it('what every object has is not the name of a handshake', () => {
    expect(HANDSHAKES['constructor' as string]).toBeUndefined();
    expect(HANDSHAKES['__proto__' as string]).toBeUndefined();
  });
});
