import { credentialHeaders } from '../../../console/src/api/credential-headers';
import { ApiProblem, ConnectionLost, isTransient, problemOf } from '../../../console/src/api/problem';
import { urlOf } from '../../../console/src/api/url-of';
import { countOf, formatBytes, formatCount, formatRatio, pluralOf } from '../../../console/src/format/numbers';
import { formatAge, formatDuration, formatInstant } from '../../../console/src/format/times';
import { curlOf } from '../../../console/src/parts/copy/curl';
import { previewOf, resultOf } from '../../../console/src/actions/outcome';
import { isAtLeast } from '../../../console/src/session/roles';
import { commandOf } from '../../../console/src/shell/keys';
import type { Role } from '../../../console/src/session/roles';
import { MENU, menuOf } from '../../../console/src/shell/menu';

describe('numbers and times for people', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_234, '1.2 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min'],
    [61_000, '1 min 1 s'],
    [7_380_000, '2 h 3 min'],
    [349_200_000, '4 d 1 h'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [0, '0 B'],
    [1_023, '1,023 B'],
    [1_536, '1.5 KiB'],
    [262_144, '256 KiB'],
    [5 * 1024 ** 4, '5 TiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('an age names one unit, in the past or the future', () => {
    const now = Date.parse('2026-11-24T12:00:00.000Z');
    expect(formatAge('2026-11-24T11:57:01.000Z', now)).toBe('2 min ago');
    expect(formatAge('2026-11-24T12:00:05.000Z', now)).toBe('in 5 s');
    expect(formatAge('2026-11-24T12:00:00.400Z', now)).toBe('now');
    expect(formatAge('2026-11-20T11:00:00.000Z', now)).toBe('4 d ago');
  });

  it('an instant has its milliseconds, in the time zone asked for', () => {
    expect(formatInstant('2026-11-24T04:08:57.544Z', 'UTC')).toBe('2026-11-24 04:08:57.544');
    expect(formatInstant('2026-11-24T23:08:57.004Z', 'Asia/Tokyo')).toBe('2026-11-25 08:08:57.004');
  });

  it('a share is 100% only if it is all', () => {
    expect([formatRatio(1), formatRatio(0.99999), formatRatio(0.5)]).toEqual(['100%', '99.9%', '50%']);
  });

  it('counts have separators and agree with their noun', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect([countOf(1, 'delivery'), countOf(2, 'delivery'), pluralOf('event'), pluralOf('key')]).toEqual([
      ...['1 delivery', '2 deliveries', 'events', 'keys'],
    ]);
  });
});

describe('a bulk action', () => {
  const outcome = { matched: 3, changed: 3, skipped: 0 };

  it('names its count before and after', () => {
    expect(previewOf(outcome, 'dead letter')).toBe('This changes 3 dead letters.');
    expect(resultOf({ ...outcome, changed: 2, skipped: 1 }, 'dead letter', 'sent on')).toBe(
      '2 of 3 dead letters sent on. 1 skipped, because they changed, are in another replay, or were erased.',
    );
  });

  it('says when nothing matches, when there are more, and what cannot be sent', () => {
    expect(previewOf({ ...outcome, matched: 0 }, 'event')).toContain('Nothing matches any more');
    expect(previewOf({ ...outcome, matched: 20, more: true }, 'event')).toBe(
      'One action changes at most 20 events: the newest. Repeat it for the rest.',
    );
    expect(previewOf({ ...outcome, matched: 1_000 }, 'event')).toBe('This changes 1,000 events.');
    expect(previewOf({ ...outcome, skipped: 1 }, 'event')).toContain('Of these, 1 would be skipped now');
    expect(previewOf({ ...outcome, erased: 2 }, 'event')).toContain('2 erased events will not change.');
  });
});

describe('requests', () => {
  it('fill their path and leave out what is empty', () => {
    expect(urlOf('/v1/admin/events/{id}/timeline', { id: 'a/b c' })).toBe('/v1/admin/events/a%2Fb%20c/timeline');
    expect(urlOf('/v1/admin/events', {}, { type: 'order.*', limit: 50, status: undefined, subject: '' })).toBe(
      '/v1/admin/events?type=order.*&limit=50',
    );
    expect(() => urlOf('/v1/{id}')).toThrow('no value for id');
  });

  it('carry a token of the OIDC issuer as Bearer, and any other as X-Admin-Token', () => {
    expect(credentialHeaders('eyJh.eyJz.c2ln')).toEqual({ Authorization: 'Bearer eyJh.eyJz.c2ln' });
    expect(credentialHeaders('sfa_01abc')).toEqual({ 'X-Admin-Token': 'sfa_01abc' });
  });

  it('are copied as a command without the token, safe for a shell', () => {
    expect(curlOf({ origin: 'https://x', method: 'POST', path: '/v1', body: `{"a":"it's"}` })).toBe(
      [
        `curl -sS -X POST 'https://x/v1' \\`,
        `  -H "X-Admin-Token: $ADMIN_TOKEN" \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  --data-binary '{"a":"it'\\''s"}'`,
      ].join('\n'),
    );
  });

  it('for a stream are copied so that it is shown as it comes', () => {
    expect(curlOf({ origin: 'https://x', method: 'GET', path: '/v1/live?type=order.*', isStream: true })).toBe(
      [
        `curl -sSN 'https://x/v1/live?type=order.*' \\`,
        `  -H "X-Admin-Token: $ADMIN_TOKEN" \\`,
        `  -H 'Accept: text/event-stream'`,
      ].join('\n'),
    );
  });

  it('are copied with the header of a token of the OIDC issuer, for those who have one', () => {
    expect(curlOf({ origin: 'https://x', method: 'GET', path: '/v1', isJwt: true })).toBe(
      [`curl -sS 'https://x/v1' \\`, `  -H "Authorization: Bearer $OIDC_TOKEN"`].join('\n'),
    );
  });
});

describe('a refused request', () => {
  it('has code, sentence and correlation id of the problem', () => {
    const sent = {
      code: 'role-insufficient',
      title: 'x',
      detail: 'You may not.',
      correlationId: 'c-1',
      retryable: false,
    };
    expect(problemOf(403, JSON.stringify(sent), 'c-2')).toMatchObject({
      ...{ status: 403, code: 'role-insufficient', message: 'You may not.', correlationId: 'c-1', errors: [] },
    });
  });

  it.each(['<html>Bad gateway</html>', '', 'null', '[]', '"x"'])('may be no problem: %j', (text) => {
    expect(problemOf(502, text, 'c-2')).toMatchObject({
      ...{ code: 'unexpected-response', correlationId: 'c-2', retryable: true },
    });
  });

  it('is read again only if that may help', () => {
    expect(isTransient(new ConnectionLost())).toBe(true);
    expect(isTransient(new ApiProblem(503, 'overloaded', '', undefined, true))).toBe(true);
    expect(isTransient(new ApiProblem(429, 'admin-rate-limited', '', undefined, true))).toBe(false);
    expect(isTransient(new ApiProblem(404, 'event-not-found', '', undefined, false))).toBe(false);
    expect(isTransient(new TypeError('x'))).toBe(false);
  });
});

it('roles are in order', () => {
  expect(isAtLeast('owner', 'viewer')).toBe(true);
  expect(isAtLeast('operator', 'operator')).toBe(true);
  expect(isAtLeast('support', 'operator')).toBe(false);
});

it('keys search, move, help, and lead to pages', () => {
  expect(commandOf('/', undefined, MENU)).toEqual({ kind: 'search' });
  expect(commandOf('?', undefined, MENU)).toEqual({ kind: 'help' });
  expect([commandOf('j', undefined, MENU), commandOf('k', undefined, MENU)]).toEqual([
    { kind: 'move', by: 1 },
    { kind: 'move', by: -1 },
  ]);
  expect(commandOf('d', 'g', MENU)).toEqual({ kind: 'go', to: '/dead-letters' });
  expect([commandOf('d', undefined, MENU), commandOf('g', undefined, MENU), commandOf('x', 'g', MENU)]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

it('the menu and its keys have only what the caller may open', () => {
  const hidden = (role: Role, seesAll: boolean): string[] => {
    const pages = menuOf({ role, seesAll });
    const missing = MENU.filter((page) => !pages.includes(page));
    for (const { key } of missing) expect(commandOf(key, 'g', pages)?.kind).not.toBe('go');
    return missing.map(({ name }) => name);
  };
  expect(hidden('owner', true)).toEqual([]);
  expect(hidden('viewer', true)).toEqual(['Operators']);
  expect(hidden('owner', false)).toEqual(['Outbox', 'Health']);
});

it('each page of the menu has a key of its own', () => {
  expect(new Set(MENU.map(({ key }) => key)).size).toBe(MENU.length);
  for (const { key, to } of MENU) expect(commandOf(key, 'g', MENU)).toEqual({ kind: 'go', to });
});
