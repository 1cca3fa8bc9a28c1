import { ROLE_OF_ACTION } from '../../../src/admin/audit/admin-action';
import { readinessOf } from '../../../console/src/api/readiness';
import { instantIn, localMinute, numberIn, textIn, wordsIn } from '../../../console/src/actions/form-values';
import { stateOf } from '../../../console/src/format/credential-state';
import { filterText, textsIn } from '../../../console/src/json/filter-text';
import { ACTIONS, wordsOf } from '../../../console/src/pages/audit/action-words';
import { readAuditSearch } from '../../../console/src/pages/audit/audit-search';
import { doneOf, standingOf, statusOf } from '../../../console/src/pages/replays/replay-words';
import { limitText } from '../../../console/src/pages/tenants/tenant-words';
import { readTenantSearch } from '../../../console/src/pages/tenants/tenant-search';

describe('what an action was asked for', () => {
  it.each([
    [{}, ''],
    [{ tenantId: 'acme', status: 'DLQ' }, 'tenantId acme, status DLQ'],
    [{ eventIds: ['a'] }, 'eventIds a'],
    [{ eventIds: ['a', 'b', 'c'], all: true }, '3 eventIds, all true'],
    [{ mapping: { type: '/t' } }, 'mapping {"type":"/t"}'],
    [{ expiresAt: null, ids: [], metadata: {}, limit: 0 }, 'limit 0'],
    [{ url: 'x'.repeat(100) }, `url ${'x'.repeat(60)}…`],
  ])('%j reads %s', (filter, text) => expect(filterText(filter)).toBe(text));

  it('names its texts', () => {
    expect(textsIn({ ids: ['a', 1, 'b'] }, 'ids')).toEqual(['a', 'b']);
    expect(textsIn({ ids: 'a' }, 'ids')).toEqual([]);
  });

  it('has words for each action of operators, and shows the code of one that it does not know', () => {
    expect(Object.keys(ROLE_OF_ACTION).filter((action) => wordsOf(action) === action)).toEqual([]);
    expect(ACTIONS).toContain('access.refused');
    expect(wordsOf('robot.dance')).toBe('robot.dance');
  });
});

describe('a replay', () => {
  const progress = { pending: 2, dispatched: 3, completed: 4, deadLettered: 0, skipped: 1, cancelled: 0 };
  const replay = {
    ...{ replayId: 'r', mode: 'republish' as const, filter: {}, matched: 10, more: false, requestedBy: 'ada' },
    ...{ correlationId: 'c', createdAt: '', skippedByReason: {} },
  };
  it.each([
    [{ status: 'RUNNING', finishedAt: null }, progress, 'RUNNING', '5 of 10 events are done.'],
    [
      { status: 'RUNNING', finishedAt: null },
      { ...progress, pending: 0 },
      'RUNNING',
      'All events are dispatched, and 3 are still in process.',
    ],
    [
      { status: 'CANCELLED', finishedAt: null },
      progress,
      'CANCELLING',
      'It was cancelled. 3 events dispatched before are still in process.',
    ],
    [{ status: 'CANCELLED', finishedAt: 'then' }, progress, 'CANCELLED', 'It was cancelled.'],
    [{ status: 'DONE', finishedAt: 'then' }, progress, 'DONE', 'Nothing of it goes on any more.'],
    [
      { status: 'DONE', finishedAt: 'then' },
      { ...progress, deadLettered: 2 },
      'DONE',
      'Nothing of it goes on any more. 2 events failed again.',
    ],
  ] as const)('%j is told in words', (state, counts, status, sentence) => {
    expect([statusOf(state), standingOf({ ...replay, ...state, progress: counts })]).toEqual([status, sentence]);
  });

  it('is done with what is completed, failed, skipped or cancelled', () => {
    expect(doneOf({ pending: 1, dispatched: 1, completed: 1, deadLettered: 2, skipped: 3, cancelled: 4 })).toBe(10);
  });
});

it('a key works until it expires or is revoked', () => {
  const nowMs = Date.parse('2026-11-30T12:00:00Z');
  const [before, after] = ['2026-11-30T11:59:59Z', '2026-11-30T12:00:01Z'];
  expect(stateOf({ expiresAt: null, revokedAt: null }, nowMs)).toBe('active');
  expect(stateOf({ expiresAt: after, revokedAt: null }, nowMs)).toBe('active');
  expect(stateOf({ expiresAt: before, revokedAt: null }, nowMs)).toBe('expired');
  expect(stateOf({ expiresAt: after, revokedAt: before }, nowMs)).toBe('revoked');
});

it('fields of a form are read without white space, and empty ones as nothing', () => {
  const form = new FormData();
  for (const [name, value] of Object.entries({ name: ' till 17 ', none: '  ', words: 'a, b\nc', n: '0' }))
    form.set(name, value);
  expect([textIn(form, 'name'), textIn(form, 'none'), textIn(form, 'missing')]).toEqual([
    ...['till 17', undefined, undefined],
  ]);
  expect([wordsIn(form, 'words'), wordsIn(form, 'none')]).toEqual([['a', 'b', 'c'], null]);
  expect([numberIn(form, 'n'), numberIn(form, 'none')]).toEqual([0, null]);
  expect(instantIn(form, 'none')).toBeNull();
  const local = localMinute('2026-11-30T12:34:56.789Z');
  expect(local).toMatch(/^2026-\d\d-\d\dT\d\d:\d\d$/);
  form.set('at', local);
  expect(instantIn(form, 'at')).toBe('2026-11-30T12:34:00.000Z');
  expect(localMinute(null)).toBe('');
});

it('addresses keep the filters that a page knows', () => {
  expect(readAuditSearch({ actor: 'ada', action: '', other: 'x' })).toEqual({ actor: 'ada' });
  expect([readTenantSearch({ status: 'suspended' }), readTenantSearch({ status: 'gone' })]).toEqual([
    ...[{ status: 'suspended' }, {}],
  ]);
});

it('limits of a tenant are those of the installation, none, or a number', () => {
  expect([limitText(null), limitText(0), limitText(60_000)]).toEqual(['as set for all', 'no limit', '60,000']);
});

describe('a response of /ready', () => {
  const ready = { status: 'not-ready', role: 'all', checks: { redis: { status: 'down' } } };
  it('is one with 503 too', () => expect(readinessOf(503, JSON.stringify(ready))).toEqual(ready));
  it.each([
    [200, '<p>Welcome</p>'],
    [502, '{"status":"error"}'],
    [200, 'null'],
    [200, ''],
  ])('of status %i with the body %j is of something else', (status, body) =>
    expect(() => readinessOf(status, body)).toThrow(`/ready responds with the status ${status}`),
  );
});
