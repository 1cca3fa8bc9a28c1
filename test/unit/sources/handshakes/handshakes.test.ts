import { createHmac } from 'node:crypto';
import type { AllowedUrl } from '../../../../src/sources/fetching/allowed-url';
import {
  FetchFailedError,
  type FetchedAnswer,
  type GuardedFetch,
} from '../../../../src/sources/fetching/guarded-fetch';
import { planOf } from '../../../../src/sources/intake/examine-request';
import { compileHandshake, compileHandshakes } from '../../../../src/sources/handshakes/answer-handshake';
import { HandshakeAnswers } from '../../../../src/sources/handshakes/handshake-answers';
import { HANDSHAKES } from '../../../../src/sources/handshakes/handshakes';
import type { Scheme } from '../../../../src/sources/verification/verification';
import { received, type Sent } from '../../../support/sources/received';

const SECRETS = ['newest secret', 'older secret'];
const JSON_TYPE = { 'content-type': 'application/json' };
const CONFIRM = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=2336';

const compiled = (name: string, scheme: Scheme = 'hmac') => compileHandshakes(HANDSHAKES[name] ?? [], scheme);

/** Answers a request as the endpoint does, and tells what was fetched. */
function answers(answer: () => FetchedAnswer = () => ({ status: 200, text: '' })) {
  const fetched: string[] = [];
  const get = async ({ href }: AllowedUrl): Promise<FetchedAnswer> => {
    fetched.push(href);
    await Promise.resolve();
    return answer();
  };
  const handshakes = new HandshakeAnswers({ get } as unknown as GuardedFetch);
  return {
    fetched,
    of: async (name: string, sent: Sent, verified: boolean, secrets = SECRETS) => {
      const plan = planOf({ handshakes: compiled(name), secrets }, received(sent), verified);
      return plan && handshakes.carryOut(plan);
    },
  };
}

const json = (body: unknown): Sent => ({ headers: JSON_TYPE, body: JSON.stringify(body) });
const text = (body: string) => ({ status: 200, body, contentType: 'text/plain; charset=utf-8' });
const object = (body: unknown) => ({
  status: 200,
  body: JSON.stringify(body),
  contentType: 'application/json; charset=utf-8',
});

describe('the handshake of', () => {
  const encryptedToken = createHmac('sha256', 'newest secret').update('qgg8').digest('hex');
  it.each<[string, boolean, Sent, object]>([
    ['slack', true, json({ type: 'url_verification', challenge: '3eZb' }), text('3eZb')],
    ['meta', false, { method: 'GET', query: { 'hub.mode': 'subscribe', 'hub.challenge': '1158' } }, text('1158')],
    [
      'okta',
      false,
      { method: 'GET', headers: { 'x-okta-verification-challenge': 'v' } },
      object({ verification: 'v' }),
    ],
    [
      'zoom',
      true,
      json({ event: 'endpoint.url_validation', payload: { plainToken: 'qgg8' } }),
      object({ plainToken: 'qgg8', encryptedToken }),
    ],
    ['microsoft-graph', false, { query: { validationToken: 'Validation: <b> ä' } }, text('Validation: <b> ä')],
    [
      'azure-event-grid',
      true,
      {
        headers: { ...JSON_TYPE, 'aeg-event-type': 'SubscriptionValidation' },
        body: '[{"data":{"validationCode":"c"}}]',
      },
      object({ validationResponse: 'c' }),
    ],
    ['discord', true, json({ version: 1, type: 0 }), { status: 204 }],
    ['discord-interactions', true, json({ type: 1 }), object({ type: 1 })],
    ['dropbox', false, { method: 'GET', query: { challenge: 'c' } }, text('c')],
  ])('%s', async (name, verified, sent, answer) => {
    const expected = { headers: { 'x-content-type-options': 'nosniff' }, ...answer };
    expect(await answers().of(name, sent, verified)).toEqual(expected);
    expect(await answers().of(name, sent, !verified)).toBeUndefined();
    expect(await answers().of(name, json({ id: 1 }), verified)).toBeUndefined();
  });

  it.each(['cloudevents', 'azure-event-grid'])('%s: OPTIONS', async (name) => {
    const sent = { method: 'OPTIONS', headers: { 'webhook-request-origin': 'eventgrid.azure.net' } };
    expect(await answers().of(name, sent, false)).toEqual({
      status: 200,
      headers: {
        'x-content-type-options': 'nosniff',
        allow: 'POST',
        'webhook-allowed-origin': 'eventgrid.azure.net',
        'webhook-allowed-rate': '*',
      },
    });
  });

  it('every name compiles', () => {
    expect(Object.keys(HANDSHAKES).flatMap((name) => compiled(name)).length).toBeGreaterThan(10);
  });
});

describe('a subscription', () => {
  const sent = json({ Type: 'SubscriptionConfirmation', SubscribeURL: CONFIRM });

  it('is confirmed by fetching the URL', async () => {
    const { fetched, of } = answers();
    expect(await of('aws-sns', sent, true)).toMatchObject({ status: 200 });
    expect(fetched).toEqual([CONFIRM]);
  });

  it.each([
    [
      'cannot be fetched',
      (): FetchedAnswer => {
        throw new FetchFailedError('down');
      },
    ],
    ['is answered 403', () => ({ status: 403, text: '' })],
    ['is redirected', () => ({ status: 302, text: '' })],
  ])('is not confirmed when the URL %s, and is sent again', async (_what, answer) => {
    await expect(answers(answer).of('aws-sns', sent, true)).rejects.toMatchObject({
      code: 'provider-unavailable',
      extras: { retryAfterSeconds: 10 },
    });
  });

  it.each([
    'https://evil.example/?Action=ConfirmSubscription&Token=1',
    'https://sns.eu-central-1.amazonaws.com/?Action=Publish&Message=x',
    'http://169.254.169.254/latest/meta-data',
  ])('is not confirmed at %s', async (SubscribeURL) => {
    const { fetched, of } = answers();
    expect(await of('aws-sns', json({ Type: 'SubscriptionConfirmation', SubscribeURL }), true)).toBeUndefined();
    expect(fetched).toEqual([]);
  });

  it('is not confirmed for a request that was not verified', async () => {
    const { fetched, of } = answers();
    expect(await of('aws-sns', sent, false)).toBeUndefined();
    expect(fetched).toEqual([]);
  });
});

describe('a request is no handshake', () => {
  it.each<[string, string, Sent]>([
    ['without the challenge', 'slack', json({ type: 'url_verification' })],
    ['with a challenge that is no text', 'slack', json({ type: 'url_verification', challenge: { a: 1 } })],
    ['with a body that cannot be read', 'slack', { headers: JSON_TYPE, body: '{"type":"url_verification"' }],
    ['with a long challenge', 'slack', json({ type: 'url_verification', challenge: 'x'.repeat(8_193) })],
    ['with an empty challenge', 'meta', { method: 'GET', query: { 'hub.challenge': '' } }],
    ['with another method', 'meta', { method: 'POST', query: { 'hub.challenge': 'c' } }],
    [
      'with a header that could hold others',
      'cloudevents',
      { method: 'OPTIONS', headers: { 'webhook-request-origin': 'a\r\nset-cookie: b' } },
    ],
  ])('%s', async (_what, name, sent) => {
    expect(await answers().of(name, sent, ['slack'].includes(name))).toBeUndefined();
  });

  it('while the source has no secret for the HMAC', async () => {
    const sent = json({ event: 'endpoint.url_validation', payload: { plainToken: 'qgg8' } });
    expect(await answers().of('zoom', sent, true, [])).toBeUndefined();
  });
});

describe('strangers', () => {
  it.each(['jwt', 'token', 'basic'] as const)('get no HMAC with a credential: %s', (scheme) => {
    expect(compiled('zoom', scheme)).toEqual([]);
    expect(compiled('aws-sns', scheme)).toHaveLength(1);
  });

  it('get no HMAC and cause no fetch', () => {
    const when = { has: '{query:x}' };
    const hmac = { hmac: '{query:x}', algorithm: 'sha256', encoding: 'hex' } as const;
    const open = { name: 'open', when, verified: false };
    expect(() => compileHandshake({ ...open, answer: { json: { a: hmac } } })).toThrow('must be verified');
    const confirm = { url: '{query:x}', hosts: ['api.example.com'] };
    expect(() => compileHandshake({ ...open, confirm, answer: {} })).toThrow('must be verified');
  });

  it('get neither from a source that verifies nothing', () => {
    expect(compiled('zoom', 'none')).toEqual([]);
    expect(compiled('aws-sns', 'none')).toEqual([]);
    expect(compiled('slack', 'none')).toHaveLength(2);
  });
});
