import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AddressGuard } from '../../../src/destinations/address/address-guard';
import { resolveBySystem } from '../../../src/destinations/names/resolve-names';
import type { DestinationAuth } from '../../../src/destinations/auth/destination-auth';
import type { SealedDestination } from '../../../src/destinations/destination';
import { Line } from '../../../src/destinations/line';
import { TransformProcess } from '../../../src/destinations/render/transform-process';
import { sealAuth, sealHeaders } from '../../../src/destinations/secrets/sealed-options';
import { newSecret, SecretBox } from '../../../src/destinations/secrets/secret-box';
import { testSettings } from '../../support/app';
import { PLAIN_DESTINATION } from '../../support/receivers/destinations';
import { eventually } from '../../support/eventually';
import { answer, TestReceiver, type Reaction } from '../../support/receivers/receiver';

const ID = '01a20e66-f418-70fd-86af-aaf8d24380fd';

describe('a line to a destination', () => {
  const settings = testSettings({ DESTINATIONS_ALLOW_PRIVATE: 'true' });
  const box = new SecretBox([randomBytes(32)]);
  const lines: Line[] = [];
  let receiver: TestReceiver;
  let issuer: TestReceiver;
  beforeEach(async () => {
    [receiver, issuer] = await Promise.all([TestReceiver.start(), TestReceiver.start()]);
  });
  afterEach(async () => {
    await Promise.all([receiver.stop(), issuer.stop()]);
    await Promise.all(lines.splice(0).map((line) => line.close()));
  });

  const given = (options: { auth?: DestinationAuth; headers?: Record<string, string>; timeoutMs?: number }): Line => {
    const { auth, headers, timeoutMs = 10_000 } = options;
    const destination: SealedDestination = {
      ...PLAIN_DESTINATION,
      id: ID,
      tenantId: 't',
      url: receiver.url,
      eventTypes: ['*'],
      enabled: true,
      disabledReason: null,
      disabledAt: null,
      description: '',
      timeoutMs,
      maxInFlight: 8,
      secret: box.seal(newSecret(), ID),
      previousSecret: null,
      previousSecretUntil: null,
      headers: headers ? sealHeaders(box, headers, ID) : null,
      auth: auth ? sealAuth(box, auth, ID) : null,
      revision: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    };
    const line = new Line(
      destination,
      { guard: new AddressGuard(settings, resolveBySystem), box },
      new TransformProcess(settings),
    );
    lines.push(line);
    return line;
  };
  const send = (line: Line) =>
    line.send({ id: 'event', body: Buffer.from('{}'), attempt: 1, correlationId: 'c' }, new AbortController().signal);
  const oauth2 = (): DestinationAuth => ({
    type: 'oauth2',
    tokenUrl: `${issuer.url}/`,
    clientId: 'id',
    clientSecret: 'secret',
  });
  const token = answer(200, {}, '{"access_token":"t-123456","expires_in":3600}');
  const later =
    (ms: number, reaction: Reaction): Reaction =>
    (response, received) =>
      void sleep(ms).then(() => reaction(response, received));
  const never: Reaction = () => undefined;

  it('opens another connection, once, to a receiver that says it is the wrong server', async () => {
    const line = given({});
    receiver.reaction = answer(421);
    expect(await send(line)).toMatchObject({ kind: 'answered', status: 421 });
    expect(receiver.received).toHaveLength(2);
    expect(new Set(receiver.received.map(({ fromPort }) => fromPort)).size).toBe(2);
  });

  describe('whose token endpoint or receiver is slow', () => {
    it('waits for a token no longer than the timeout of the destination', async () => {
      issuer.reaction = never;
      const startedMs = performance.now();
      expect(await send(given({ auth: oauth2(), timeoutMs: 200 }))).toEqual({
        kind: 'failed',
        reason: 'AUTH_FAILED',
        message: 'the token endpoint did not respond within the timeout of the delivery',
      });
      expect(performance.now() - startedMs).toBeLessThan(4_000); // the endpoint itself has 5 s
      expect(receiver.received).toEqual([]);
    });

    it('keeps a token that comes too late for the next delivery', async () => {
      issuer.reaction = later(400, token);
      const line = given({ auth: oauth2(), timeoutMs: 200 });
      expect(await send(line)).toMatchObject({ kind: 'failed', reason: 'AUTH_FAILED' });
      await eventually(async () => expect(await send(line)).toMatchObject({ kind: 'answered', status: 200 }));
      expect(issuer.received).toHaveLength(1);
    });

    it('takes the time for a token off the time for the response', async () => {
      issuer.reaction = later(2_500, token);
      receiver.reaction = never;
      const startedMs = performance.now();
      expect(await send(given({ auth: oauth2(), timeoutMs: 4_000 }))).toMatchObject({
        kind: 'failed',
        reason: 'TIMEOUT',
        message: 'no response within 4000 ms',
      });
      expect(performance.now() - startedMs).toBeLessThan(6_000); // 6.5 s if both had their own time
    });

    it.each([
      ['is left', 0, 2],
      ['is over', 2_200, 1],
    ])('sends again after 401 while half of the time %s', async (_what, ms, requests) => {
      issuer.reaction = token;
      const line = given({ auth: oauth2(), timeoutMs: 4_000 });
      await send(line);
      receiver.received.splice(0);
      receiver.reaction = later(ms, answer(401));
      expect(await send(line)).toMatchObject({ kind: 'answered', status: 401 });
      expect(receiver.received).toHaveLength(requests);
    });
  });

  describe('whose receiver repeats the headers that it was sent', () => {
    const TOKEN = 'token-"1234567890"/abcd';
    const echoing =
      (echo: (headers: IncomingHttpHeaders) => string, status = 400): Reaction =>
      (response, { headers }) =>
        void response.writeHead(status).end(echo(headers));
    const textOf = async (line: Line): Promise<string> => {
      const sent = await send(line);
      return sent.kind === 'answered' ? sent.text : '';
    };

    it.each<[string, (token: string) => string]>([
      ['as it is', (text) => text],
      ['in JSON', (text) => JSON.stringify({ authorization: text })],
      ['in JSON with escaped slashes', (text) => JSON.stringify(text).replaceAll('/', '\\/')],
      ['in a form', (text) => new URLSearchParams({ text }).toString()],
      ['in HTML', (text) => text.replaceAll('"', '&quot;')],
      ['without the scheme', (text) => text.replace('Bearer ', '')],
    ])('masks a token %s', async (_how, spelled) => {
      receiver.reaction = echoing(({ authorization = '' }) => `unknown: ${spelled(authorization)}!`);
      const text = await textOf(given({ auth: { type: 'bearer', token: TOKEN } }));
      expect(text).toMatch(/^unknown: .*\*\*\*.*!$/);
      expect(text).not.toMatch(/token|1234567890/);
    });

    it('masks static headers, and what Basic credentials say; a text of five characters stays', async () => {
      const headers = { 'x-key': 'key-of-the-shop', 'x-env': 'stage' };
      const line = given({ headers, auth: { type: 'basic', username: 'shop', password: 'open sesame' } });
      receiver.reaction = echoing(({ authorization = '', ...sent }) => {
        const basic = Buffer.from(authorization.slice(6), 'base64').toString();
        return [sent['x-key'], sent['x-env'], authorization, basic, basic.slice(5)].join('|');
      });
      expect(await textOf(line)).toBe('***|stage|***|***|***');
    });

    it('masks a token of OAuth2, and each that follows', async () => {
      const line = given({ auth: oauth2() });
      let tokens = 0;
      issuer.reaction = (response, received) => {
        tokens += 1;
        answer(200, {}, `{"access_token":"t-123456-${tokens}","expires_in":3600}`)(response, received);
      };
      receiver.reaction = echoing(({ authorization }) => `no ${authorization}.`, 401);
      expect([await textOf(line), await textOf(line)]).toEqual(['no ***.', 'no ***.']);
      expect(receiver.received.map(({ headers }) => headers.authorization)).toEqual([
        'Bearer t-123456-1',
        'Bearer t-123456-2',
      ]);
    });

    it('masks a value that is cut at the end of what is kept of the response', async () => {
      for (const kept of [3, 4, 12, 20]) {
        receiver.reaction = echoing(({ authorization }) => `${'.'.repeat(1_024 - kept - 7)}${authorization} and more`);
        expect(await textOf(given({ auth: { type: 'bearer', token: TOKEN } }))).toMatch(/^\.+(?:Bearer )?\*\*\*$/);
      }
    });

    it('leaves a response as it is, of a destination without headers and credentials', async () => {
      receiver.reaction = answer(400, {}, 'Bearer abcdefghijk');
      expect(await textOf(given({}))).toBe('Bearer abcdefghijk');
    });
  });
});
