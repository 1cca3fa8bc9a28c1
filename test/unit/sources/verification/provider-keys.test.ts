import { Logger } from '@nestjs/common';
import type { FetchedAnswer, GuardedFetch } from '../../../../src/sources/fetching/guarded-fetch';
import { configuredUrl } from '../../../../src/sources/fetching/allowed-url';
import { ProviderKeys } from '../../../../src/sources/verification/provider-keys';
import { makeCertificate } from '../../../support/sources/certificate';

const URL = configuredUrl('https://keys.example.com/one');
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Keys of a provider whose answers are given, and the number of fetches. */
function providerKeys(answer: () => FetchedAnswer) {
  const state = { fetches: 0 };
  const fetcher = {
    get: async () => {
      state.fetches++;
      await Promise.resolve();
      return answer();
    },
  };
  return { keys: new ProviderKeys(fetcher as unknown as GuardedFetch), state };
}

const ok = (text: string) => () => ({ status: 200, text });
const SET = JSON.stringify({ keys: [] });
const after = (ms: number): Date => new Date(Date.now() + ms);

beforeAll(() => {
  Logger.overrideLogger(false);
});
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

describe('a certificate of a provider', () => {
  it.each([
    ['a day', 7 * DAY_MS, DAY_MS],
    ['until it expires', HOUR_MS, HOUR_MS],
    ['ten seconds if it has expired', -HOUR_MS, 10_000],
  ])('is kept for %s', async (_what, validMs, keptMs) => {
    const { pem } = makeCertificate({ validFrom: after(-7 * DAY_MS), validTo: after(validMs) });
    const { keys, state } = providerKeys(ok(pem));
    await keys.certificate(URL);
    jest.advanceTimersByTime(keptMs - 1_000);
    await keys.certificate(URL);
    expect(state.fetches).toBe(1);
    jest.advanceTimersByTime(1_000);
    await keys.certificate(URL);
    expect(state.fetches).toBe(2);
  });

  it('is the first one of a chain', async () => {
    const [leaf, root] = [makeCertificate({ host: 'leaf.example.com' }), makeCertificate({ host: 'root.example.com' })];
    const { keys } = providerKeys(ok(`some text\n${leaf.pem}\n${root.pem}`));
    expect((await keys.certificate(URL)).subject).toBe('CN=leaf.example.com');
  });
});

describe('a key set of a provider', () => {
  it('is kept for an hour, and read again after a minute for an unknown key', async () => {
    const { keys, state } = providerKeys(ok(SET));
    const first = await keys.keySet(URL);
    expect(await keys.keySet(URL, true)).toBe(first);
    jest.advanceTimersByTime(60_000);
    expect(await keys.keySet(URL)).toBe(first);
    expect(await keys.keySet(URL, true)).not.toBe(first);
    jest.advanceTimersByTime(HOUR_MS - 1);
    await keys.keySet(URL);
    expect(state.fetches).toBe(2);
    jest.advanceTimersByTime(1);
    await keys.keySet(URL);
    expect(state.fetches).toBe(3);
  });
});

describe('a provider', () => {
  const pem = makeCertificate().pem;
  it.each([
    [
      'does not answer',
      (): FetchedAnswer => {
        throw new Error('down');
      },
    ],
    ['redirects', () => ({ status: 302, text: pem })],
    ['has no such file', () => ({ status: 404, text: pem })],
    ['fails', () => ({ status: 500, text: pem })],
    ['sends a page', ok('<html>')],
    ['sends a broken certificate', ok(pem.replace(/MII../, 'AAAAA'))],
    ['sends nothing', ok('')],
  ])('%s: the request may be sent again', async (_what, answer) => {
    const { keys, state } = providerKeys(answer);
    const problem = { code: 'provider-unavailable', status: 503, extras: { retryAfterSeconds: 10 } };
    await expect(keys.certificate(URL)).rejects.toMatchObject(problem);
    await expect(keys.certificate(URL)).rejects.toMatchObject(problem);
    await expect(keys.keySet(URL)).rejects.toMatchObject(problem);
    expect(state.fetches).toBe(2);
  });

  it.each(['{}', '[]', 'null', '{"keys":{}}', '{"keys":[1]}'])('sends a key set %s that is none', async (text) => {
    await expect(providerKeys(ok(text)).keys.keySet(URL)).rejects.toMatchObject({ code: 'provider-unavailable' });
  });
});
