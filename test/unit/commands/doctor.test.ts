import { assessInstallationKey } from '../../../src/commands/doctor/check-installation-key';
import { assessAudit, assessPlace } from '../../../src/commands/doctor/check-postgres';
import { assessQueue } from '../../../src/commands/doctor/check-rabbitmq';
import { assessRedis } from '../../../src/commands/doctor/check-redis';
import { assessSecrets } from '../../../src/commands/doctor/check-secrets';
import { checkSettings } from '../../../src/commands/doctor/check-settings';
import {
  assessAccount,
  assessChores,
  assessReservedTenant,
  assessServer,
  assessStored,
} from '../../../src/db/condition/assess-database';
import { isAtLeast, report, type Finding } from '../../../src/db/condition/finding';

const SERVER = {
  version: '17.2',
  fsync: 'on',
  synchronousCommit: 'on',
  encoding: 'UTF8',
  maxConnections: 100,
  connections: 20,
  isSuperuser: false,
};
const STORED = { failedEntries: 0, strays: false, partitionForTomorrow: true };
const severities = (findings: Finding[]): string[] => findings.map(({ severity }) => severity);

describe('doctor', () => {
  it.each([
    ['15.8 (Debian 15.8-0+deb12u1)', '15', true],
    ['14.13', '15', false],
    ['3.9.29', '3.10', false],
    ['3.10.8', '3.10', true],
    ['4.1.0', '3.10', true],
    ['v22.15.0', '22.15', true],
    ['v22.14.9', '22.15', false],
    ['', '1', false],
  ])('compares versions as numbers: %j is at least %s: %s', (version, least, expected) => {
    expect(isAtLeast(version, least)).toBe(expected);
  });

  it.each<[string, number, number, boolean, RegExp | undefined]>([
    ['events.main', 0, 0, false, undefined],
    ['events.main', 5, 1, false, undefined],
    ['events.main', 5, 0, false, /start a worker/],
    ['events.safety', 0, 0, false, undefined],
    ['events.safety', 3, 0, false, /^3 messages were parked/],
    ['events.dlq', 9, 0, true, undefined],
    ['events.dlq', 0, 0, false, /not used without DLQ_COPY/],
  ])(
    'assesses %s with %i messages and %i consumers, DLQ_COPY=%s',
    (queue, messageCount, consumerCount, copies, said) => {
      const finding = assessQueue({ queue, messageCount, consumerCount }, { deadLetterCopies: copies, namespace: '' });
      if (said) expect(finding?.sentence).toMatch(said);
      else expect(finding).toBeUndefined();
    },
  );

  it.each([
    ['before its first start', null, '1/prod', []],
    ['at home', '1/prod', '1/prod', []],
    ['on another server', '1/prod', '2/prod', ['problem']],
    ['under another name', '1/prod', '1/staging', ['problem']],
  ])('assesses a database %s', (_, home, here, expected) => {
    expect(severities(assessPlace({ home, here }))).toEqual(expected);
  });

  it('finds nothing wrong with a good server, schema and cache', () => {
    expect(severities(assessServer(SERVER, 1_000))).toEqual(['ok']);
    expect(severities(assessStored(STORED))).toEqual(['ok']);
    expect(severities(assessAudit({ tampering: [], waiting: { rows: 2, seconds: 60 } }))).toEqual(['ok']);
    expect(severities(assessSecrets({ first: 3, older: 0, unopened: 0 }))).toEqual(['ok']);
    expect(severities(assessInstallationKey({ isSet: false, own: 'opened', given: 'none' }))).toEqual(['ok']);
    expect(severities(assessInstallationKey({ isSet: true, own: 'none', given: 'known' }))).toEqual(['ok']);
    expect(severities(assessRedis('redis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n'))).toEqual([
      'ok',
    ]);
  });

  it.each([
    ['an old PostgreSQL', assessServer({ ...SERVER, version: '14.1' }, 0), 'problem'],
    ['another encoding', assessServer({ ...SERVER, encoding: 'LATIN1' }, 0), 'problem'],
    ['fsync off', assessServer({ ...SERVER, fsync: 'off' }, 0), 'problem'],
    ['commits that are not waited for', assessServer({ ...SERVER, synchronousCommit: 'off' }, 0), 'problem'],
    ['no connections left', assessServer({ ...SERVER, connections: 95 }, 0), 'problem'],
    ['clocks that differ', assessServer(SERVER, -1_001), 'advice'],
    ['a superuser', assessAccount({ isSuperuser: true }), 'advice'],
    [
      'an audit trail that was changed',
      assessAudit({ tampering: [{ row: 'admin_audit 1', what: 'was removed' }], waiting: { rows: 0, seconds: 0 } }),
      'problem',
    ],
    ['an audit trail that nobody chains', assessAudit({ tampering: [], waiting: { rows: 2, seconds: 400 } }), 'advice'],
    ['a key beside INSTALLATION_KEY', assessInstallationKey({ isSet: true, own: 'opened', given: 'known' }), 'advice'],
    ['a key that nobody opens', assessInstallationKey({ isSet: false, own: 'unopened', given: 'none' }), 'advice'],
    ['INSTALLATION_KEY elsewhere', assessInstallationKey({ isSet: false, own: 'opened', given: 'other' }), 'advice'],
    ['two INSTALLATION_KEYs', assessInstallationKey({ isSet: true, own: 'none', given: 'other' }), 'advice'],
    ['a lost INSTALLATION_KEY', assessInstallationKey({ isSet: true, own: 'none', given: 'unopened' }), 'advice'],
    ['secrets of an older key', assessSecrets({ first: 1, older: 2, unopened: 0 }), 'advice'],
    ['secrets that no key opens', assessSecrets({ first: 1, older: 0, unopened: 2 }), 'problem'],
    ['no partition for tomorrow', assessStored({ ...STORED, partitionForTomorrow: false }), 'problem'],
    ['rows in a default partition', assessStored({ ...STORED, strays: true }), 'advice'],
    ['a source of the reserved tenant', assessReservedTenant({ sources: 1, keys: 0, isUsed: false }), 'advice'],
    ['events of the reserved tenant', assessReservedTenant({ sources: 0, keys: 0, isUsed: true }), 'advice'],
    ['failed outbox entries', assessStored({ ...STORED, failedEntries: 3 }), 'advice'],
    ['an old Redis', assessRedis('redis_version:5.0.1\r\n'), 'problem'],
    [
      'a Redis that refuses writes when full',
      assessRedis('redis_version:7.0.1\r\nmaxmemory:99\r\nmaxmemory_policy:noeviction\r\n'),
      'advice',
    ],
  ])('says of %s what to do, in one sentence', (_what, findings, severity) => {
    expect(severities(findings)).toEqual([severity]);
    expect(findings[0]?.sentence).toMatch(/^[^.]*(\.\d[^.]*)*: .*[^.]\.$/);
  });

  it('takes a Valkey for what it says it is', () => {
    expect(severities(assessRedis('redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n'))).toEqual(['ok']);
  });

  it('lists every setting that cannot be used, and goes on with the dependencies whose URLs are good', () => {
    const env = { PORT: 'http', REDIS_URL: 'gopher://x', DATABASE_URL: 'postgres://db/x' };
    const { settings, findings } = checkSettings(env, ['PORT', 'REDIS_ULR', 'API_PORT']);
    expect(severities(findings)).toEqual(['problem', 'problem', 'advice']);
    expect(findings.at(-1)?.sentence).toContain('REDIS_ULR');
    expect(settings).toMatchObject({ DATABASE_URL: 'postgres://db/x' });
    expect(settings.REDIS_URL).toBeUndefined();
  });

  const PRODUCTION = {
    NODE_ENV: 'production',
    APP_ROLE: 'api',
    DATABASE_URL: 'postgres://app:secret@db/streamforge?sslmode=require',
    REDIS_URL: 'rediss://:secret@cache',
    ADMIN_TOKEN: 'kX2q9vTf0Zr7LmWb4HsDy1Ce',
    METRICS_TOKEN: 'kX2q9vTf0Zr7LmWb4HsDy1Ce',
    DESTINATIONS_SECRET_KEY: 'Zk3vQ0x8dWm1y7Tt2cJ5bNq9RfGhLsPaEoUiXyVwK4M=',
  };
  const adviceOn = (env: Record<string, string>) =>
    checkSettings(env, []).findings.flatMap(({ severity, sentence }) => (severity === 'advice' ? [sentence] : []));

  it.each(['header', 'both'])('warns that with TENANT_AUTH=%s in production nobody proves a tenant', (choice) => {
    const [sentence, ...others] = adviceOn({ ...PRODUCTION, TENANT_AUTH: choice });
    expect(sentence).toMatch(new RegExp(`^TENANT_AUTH is ${choice}, .*: .*key`));
    expect(others).toEqual([]);
  });

  it('names a proxy that has no effect', () => {
    const env = { ...PRODUCTION, TENANT_AUTH: 'key', HTTPS_PROXY: 'http://proxy:3128' };
    expect(adviceOn(env)).toEqual([expect.stringMatching(/^HTTPS_PROXY has no effect: /)]);
    expect(adviceOn({ ...env, DESTINATIONS_PROXY_URL: 'http://proxy:3128' })).toEqual([]);
  });

  it('does not warn of keys, nor of a process that takes no events', () => {
    expect(adviceOn({ ...PRODUCTION, TENANT_AUTH: 'key' })).toEqual([]);
    expect(
      adviceOn({
        ...PRODUCTION,
        APP_ROLE: 'worker',
        RABBITMQ_URL: 'amqps://app:secret@broker/streamforge',
        TENANT_AUTH: 'both',
      }),
    ).toEqual([]);
  });

  it.each([
    ['DATABASE_URL', { DATABASE_URL: 'postgres://app@db/x?sslmode=require' }, /no password/],
    ['REDIS_URL', { REDIS_URL: 'redis://127.0.0.1' }, /no password/],
    ['REDIS_URL', { REDIS_URL: 'redis://:secret@cache' }, /without TLS.*rediss:/],
    ['RABBITMQ_URL', { RABBITMQ_URL: 'amqp://app:secret@broker' }, /without TLS.*amqps:/],
    ['ADMIN_TOKEN', { ADMIN_TOKEN: 'a'.repeat(24) }, /too regular/],
    ['DESTINATIONS_SECRET_KEY', { DESTINATIONS_SECRET_KEY: Buffer.alloc(32).toString('base64') }, /too regular/],
  ])('advises on %s: %j', (name, env, expected) => {
    const [sentence, ...others] = adviceOn(env);
    expect(sentence).toMatch(expected);
    expect(sentence).toMatch(new RegExp(`^${name} .*: .*[.]$`));
    expect(others).toEqual([]);
  });

  it('names plaintext that production was asked to admit, and metrics that nobody can read', () => {
    const asked = { ...PRODUCTION, TENANT_AUTH: 'key', ALLOW_PLAINTEXT_BACKENDS: 'true', METRICS_TOKEN: '' };
    const sentences = adviceOn({ ...asked, REDIS_URL: 'redis://:secret@cache' });
    expect(sentences).toEqual([
      expect.stringMatching(/^METRICS_TOKEN and OPS_PORT/),
      expect.stringMatching(/^REDIS_URL/),
    ]);
  });

  it('counts what it found', () => {
    const text = report([{ what: 'redis', severity: 'problem', sentence: 'gone: start it.' }]);
    expect(text).toContain('PROBLEM  redis       gone: start it.');
    expect(text).toContain('problems: 1, advice: 0');
  });

  it('names chores that are overdue, and the grants if a right is missing', () => {
    const fine = { name: 'reconciler', ageSeconds: 10, putOffSeconds: null, errorCode: null };
    expect(assessChores([fine])).toEqual([]);
    const refused = { name: 'retention', ageSeconds: 7_200, putOffSeconds: null, errorCode: '42501' };
    expect(assessChores([fine, refused])).toMatchObject([
      {
        what: 'upkeep',
        severity: 'problem',
        sentence: expect.stringMatching(/retention .* 120 min .*postgresql\.md/) as string,
      },
    ]);
  });
});
