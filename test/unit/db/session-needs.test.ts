import { beginWith } from '../../../src/db/session/keep-no-state';
import {
  MIGRATION_NEEDS,
  SESSION_NEEDS,
  mergeSettings,
  requireSession,
  type SessionFacts,
} from '../../../src/db/session/session-needs';
import { explainStartFailure } from '../../../src/runtime/start-failure';

const GOOD: SessionFacts = {
  pid: 1,
  serverEncoding: 'UTF8',
  searchPath: '"$user", public',
  schema: 'public',
  settings: Object.fromEntries(SESSION_NEEDS),
};

describe('a session', () => {
  it('is taken if it is what is needed', () => {
    expect(() => requireSession(GOOD, SESSION_NEEDS)).not.toThrow();
    const migrating = { ...GOOD, settings: Object.fromEntries(MIGRATION_NEEDS) };
    expect(() => requireSession(migrating, MIGRATION_NEEDS)).not.toThrow();
    expect(() => requireSession(migrating, SESSION_NEEDS)).toThrow(/statement_timeout/);
  });

  it.each([...SESSION_NEEDS.keys()])('is refused with another %s, by name', (name) => {
    const wrong = { ...GOOD, settings: { ...GOOD.settings, [name]: 'other' } };
    expect(() => requireSession(wrong, SESSION_NEEDS)).toThrow(`DATABASE_URL: sessions have ${name} = 'other'`);
    const missing = { ...GOOD, settings: { ...GOOD.settings, [name]: null } };
    expect(() => requireSession(missing, SESSION_NEEDS)).toThrow(`DATABASE_URL: sessions have ${name} = ''`);
  });

  it('is refused without UTF8, and without a schema', () => {
    expect(() => requireSession({ ...GOOD, serverEncoding: 'LATIN1' }, SESSION_NEEDS)).toThrow(
      /server_encoding .*UTF8/,
    );
    const lost = { ...GOOD, searchPath: 'nowhere', schema: null };
    expect(() => requireSession(lost, SESSION_NEEDS)).toThrow(/search_path is 'nowhere', which names no schema/);
  });

  it('has the settings of the user beside those that are needed', () => {
    const merged = mergeSettings(
      SESSION_NEEDS,
      new Map([
        ['search_path', 'app'],
        ['timezone', 'utc'],
      ]),
    );
    expect(Object.fromEntries(merged)).toEqual({ ...Object.fromEntries(SESSION_NEEDS), search_path: 'app' });
  });

  it.each([...SESSION_NEEDS.keys()])('lets nobody change %s by the options of the URL', (name) => {
    const merge = () => mergeSettings(MIGRATION_NEEDS, new Map([[name, 'other']]));
    expect(merge).toThrow(`DATABASE_URL: its options set ${name} to 'other'`);
  });
});

describe('a transaction behind a pooler', () => {
  it.each([
    ['begin', 'begin isolation level read committed; APPLY'],
    ['START TRANSACTION', 'START TRANSACTION isolation level read committed; APPLY'],
    ['begin isolation level repeatable read', 'begin isolation level repeatable read; APPLY'],
    [
      'begin; set local a = 1; set local b = 2',
      'begin isolation level read committed; APPLY; set local a = 1; set local b = 2',
    ],
    ['begin ;', 'begin isolation level read committed; APPLY'],
  ])('%p begins with its settings', (text, begun) => {
    expect(beginWith(text, 'APPLY')).toBe(begun);
  });
});

describe('a parameter that a pooler refuses', () => {
  it('is explained by the variable that it comes from', () => {
    expect(explainStartFailure(new Error('unsupported startup parameter: options'))).toMatch(/^PGOPTIONS: the pooler/);
  });
});
