import { createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource, type SourceFields } from '../../support/sources';

const SECRET = 'this-is-the-secret-of-the-source';
const MAPPING = { eventType: '/type', eventId: '/id', subject: '/id' };
const hmac = (text: string): string => createHmac('sha256', SECRET).update(text).digest('hex');

describe('requests with which providers check a URL', () => {
  const running = useApp();
  const given = (fields: SourceFields): Promise<GivenSource> =>
    givenSource(running.app, running.pool, { mapping: MAPPING, secrets: [SECRET], ...fields });
  const countEvents = async (): Promise<number> =>
    Number((await running.pool.query<{ n: string }>('select count(*) as n from events')).rows[0]?.n);

  const signed = { scheme: 'hmac', algorithm: 'sha256', encoding: 'hex', header: 'x-sig', signed: '{body}' } as const;

  it('are answered before anything is verified, as text that no browser runs, and make no event', async () => {
    const { path } = await given({ verification: signed, handshake: 'microsoft-graph' });
    const before = await countEvents();
    const token = 'Validation: <script>alert(1)</script> ä+&';
    const response = await running.http.post(`${path}?validationToken=${encodeURIComponent(token)}`).type('text/plain');
    expect(response.status).toBe(200);
    expect(response.text).toBe(token);
    expect(response.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(await countEvents()).toBe(before);
  });

  it('of CloudEvents are answered in headers', async () => {
    const { path } = await given({ verification: signed, handshake: 'cloudevents' });
    const response = await running.http.options(path).set('WebHook-Request-Origin', 'eventgrid.azure.net');
    expect(response.status).toBe(200);
    expect(response.text).toBe('');
    expect(response.headers).toMatchObject({
      allow: 'POST',
      'webhook-allowed-origin': 'eventgrid.azure.net',
      'webhook-allowed-rate': '*',
    });
  });

  it('of Zoom are answered with an HMAC only if they are signed', async () => {
    const { path } = await given({ verification: signed, handshake: 'zoom' });
    const body = JSON.stringify({ event: 'endpoint.url_validation', payload: { plainToken: 'qgg8' } });
    const send = (signature: string) => running.http.post(path).type('json').set('x-sig', signature).send(body);
    expect((await send(hmac(body))).body).toEqual({ plainToken: 'qgg8', encryptedToken: hmac('qgg8') });
    const stranger = await send(hmac('x'));
    expect(stranger.status).toBe(401);
    expect(stranger.text).not.toContain(hmac('qgg8'));
  });

  it('of Discord are answered without a body', async () => {
    const { path } = await given({ verification: signed, handshake: 'discord' });
    const body = JSON.stringify({ version: 1, type: 0 });
    const response = await running.http.post(path).type('json').set('x-sig', hmac(body)).send(body);
    expect(response.status).toBe(204);
    expect(response.text).toBe('');
  });
});

describe('requests with a token (JWT)', () => {
  const running = useApp();

  it('become events, and are refused with another token', async () => {
    const verification = { scheme: 'jwt', algorithms: ['HS256'] } as const;
    const { path } = await givenSource(running.app, running.pool, {
      mapping: MAPPING,
      secrets: [SECRET],
      verification,
    });
    const send = async (secret: string) => {
      const token = await new SignJWT({})
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1m')
        .sign(Buffer.from(secret));
      return running.http.post(path).set('Authorization', `Bearer ${token}`).send({ type: 'a.b', id: '1' });
    };
    expect((await send(SECRET)).body).toMatchObject({ status: 'accepted', eventId: '1' });
    expect((await send('guess')).body).toMatchObject({ code: 'signature-invalid' });
    expect((await running.http.post(path).send({})).body).toMatchObject({ code: 'signature-missing' });
  });
});

describe('requests that are signed with a certificate', () => {
  const running = useApp();

  it('are to be sent again when the certificate cannot be fetched', async () => {
    const verification = {
      scheme: 'rsa',
      header: 'x-sig',
      encoding: 'base64',
      signed: '{body}',
      certificate: { url: '{header:x-cert}', hosts: ['certificates.invalid'] },
    } as const;
    const { path } = await givenSource(running.app, running.pool, { mapping: MAPPING, verification });
    const send = (url: string) =>
      running.http.post(path).set({ 'x-sig': 'AAAA', 'x-cert': url }).send({ type: 'a.b', id: '1' });
    const response = await send('https://certificates.invalid/1');
    expect(response.body).toMatchObject({ code: 'provider-unavailable', retryable: true });
    expect(response.status).toBe(503);
    expect(response.headers['retry-after']).toBe('10');
    expect((await send('https://169.254.169.254/latest/meta-data')).body).toMatchObject({ code: 'signature-invalid' });
    expect((await send('http://certificates.invalid/1')).body).toMatchObject({ code: 'signature-invalid' });
  });
});
