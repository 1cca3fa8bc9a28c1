import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { metricsAreClosed, servesDocs } from '../../../src/config/exposure';
import { parseSettings, SettingsError } from '../../../src/config/parse-settings';
import { plaintextBackends } from '../../../src/config/plaintext';
import { isWeakSecret } from '../../../src/config/weak-secret';

const PRODUCTION = {
  NODE_ENV: 'production',
  APP_ROLE: 'all',
  DATABASE_URL: 'postgres://app:secret@db/streamforge?sslmode=verify-full',
  REDIS_URL: 'rediss://cache:6379',
  RABBITMQ_URL: 'amqps://app:secret@broker/streamforge',
  ADMIN_TOKEN: 'kX2q9vTf0Zr7LmWb4HsDy1Ce',
  TENANT_AUTH: 'key',
  DESTINATIONS_SECRET_KEY: 'Zk3vQ0x8dWm1y7Tt2cJ5bNq9RfGhLsPaEoUiXyVwK4M=',
};
/** The driver reads the file, and does not look into it before it connects. */
const CERTIFICATE = encodeURIComponent(__filename);
type Env = Record<string, string>;
const problemsOf = (env: Env): string[] => {
  try {
    parseSettings({ ...PRODUCTION, ...env });
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
};

describe('production and plaintext', () => {
  const PLAIN = {
    DATABASE_URL: 'postgres://app:secret@db.example.com/x',
    REDIS_URL: 'redis://cache.example.com',
    RABBITMQ_URL: 'amqp://app:secret@broker.example.com',
  };

  it.each(Object.entries(PLAIN))('refuse each other: %s', (name, text) => {
    const problems = problemsOf({ [name]: text });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: .*ALLOW_PLAINTEXT_BACKENDS=true`))]);
    expect(problems.join()).not.toContain('example.com');
    expect(problemsOf({ [name]: text, ALLOW_PLAINTEXT_BACKENDS: 'true' })).toEqual([]);
  });

  it('is no matter of a process outside production', () => {
    expect(() => parseSettings(PLAIN)).not.toThrow();
  });

  it.each([
    ['postgres://app@db/x?sslmode=require', true],
    ['postgres://app@db/x?sslmode=no-verify', true],
    ['postgres://app@db/x?ssl=true', true],
    ['postgres://app@db/x?sslmode=disable', false],
    ['postgres://app@db/x?sslmode=allow', true],
    ['postgres://app@db/x?sslmode=', false],
    ['postgres://app@db/x?sslmode=require&sslmode=disable', false],
    [`postgres://app@db/x?sslrootcert=${CERTIFICATE}`, true],
    [`postgres://app@db/x?sslrootcert=${CERTIFICATE}&ssl=0`, true],
    [`postgres://app@db/x?sslrootcert=${CERTIFICATE}&sslmode=disable`, false],
    [`postgres://app@db/x?sslcert=${CERTIFICATE}&sslkey=${CERTIFICATE}`, true],
    ['postgres://app@db/x?sslnegotiation=direct', true],
    ['postgres://app@db/x?ssl=0', false],
    ['postgres://app@db/x?ssl=', false],
    ['postgres://app@localhost/x?host=db.example.com&host=127.0.0.1', true],
    ['postgres://app@db/x?sslmode=disable&ssl=true', false],
    ['postgres://app@127.0.0.1/x', true],
    ['postgres://app@localhost:5432/x', true],
    ['postgres://app@[::1]/x', true],
    ['postgres://app@%2Fvar%2Frun%2Fpostgresql/x', true],
    ['postgres://app@localhost/x?host=db.example.com', false],
    ['postgres://app@db/x?host=/var/run/postgresql', true],
    ['postgres://app@10.0.0.7/x', false],
  ])('%s is protected: %s', (DATABASE_URL, isProtected) => {
    const others = { REDIS_URL: undefined, RABBITMQ_URL: undefined };
    expect(plaintextBackends({ DATABASE_URL, ...others })).toHaveLength(isProtected ? 0 : 1);
    const { host, ssl } = new Client({ connectionString: DATABASE_URL }); // what the driver makes of it
    const isHere = host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host);
    expect(isHere || Boolean(ssl)).toBe(isProtected);
  });
});

describe('production and weak secrets', () => {
  it.each([
    ['ADMIN_TOKEN', 'a'.repeat(24)],
    ['ADMIN_TOKEN', 'correct-horse'.repeat(3)],
    ['METRICS_TOKEN', 'hunter2'],
    ['DESTINATIONS_SECRET_KEY', Buffer.alloc(32).toString('base64')],
    ['DESTINATIONS_SECRET_KEY', `${PRODUCTION.DESTINATIONS_SECRET_KEY},${Buffer.alloc(32, 7).toString('base64')}`],
  ])('refuse each other: %s', (name, text) => {
    const problems = problemsOf({ [name]: text });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: .*openssl rand`))]);
    expect(problems.join()).not.toContain(text);
  });

  it.each([
    ['one character', 'a'.repeat(64), true],
    ['two characters', 'ab'.repeat(16), true],
    ['a word that repeats', 'streamforge-'.repeat(3), true],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz', true],
    ['counting down', 'zyxwvutsrqponmlkjihgfedcba', true],
    ['a short word', 'hunter2', true],
    ['a word with a digit behind many', `${'x'.repeat(30)}1`, true],
    ['24 hexadecimal digits', '9f86d081884c7d659a2feaa0', false],
    ['24 decimal digits', '593027481650392874610583', false],
    ['a passphrase', 'correct horse battery staple', false],
    ['base64 of 24 bytes', 'q83vEjRWeJq83e8BI0VniavN', false],
  ])('%s is weak: %s %s', (_what, text, isWeak) => {
    expect(isWeakSecret(text)).toBe(isWeak);
  });

  it('are never mistaken for random ones', () => {
    for (let i = 0; i < 2_000; i++) {
      expect(isWeakSecret(randomBytes(32).toString('latin1'))).toBe(false);
      expect(isWeakSecret(randomBytes(12).toString('hex'))).toBe(false);
      expect(isWeakSecret(randomBytes(18).toString('base64url'))).toBe(false);
    }
  });
});

describe('what strangers see', () => {
  const exposureOf = (env: Env) => {
    const settings = parseSettings(env);
    return { docs: servesDocs(settings), metrics: !metricsAreClosed(settings) };
  };

  it.each<[string, Env, { docs: boolean; metrics: boolean }]>([
    ['development', {}, { docs: true, metrics: true }],
    ['production', PRODUCTION, { docs: false, metrics: false }],
    [
      'production that asks for it',
      { ...PRODUCTION, DOCS: 'true', METRICS_TOKEN: PRODUCTION.ADMIN_TOKEN },
      { docs: true, metrics: true },
    ],
    ['production with OPS_PORT', { ...PRODUCTION, OPS_PORT: '3001' }, { docs: true, metrics: true }],
    [
      'production with OPS_PORT that wants no docs',
      { ...PRODUCTION, OPS_PORT: '3001', DOCS: 'false' },
      { docs: false, metrics: true },
    ],
    ['a worker', { APP_ROLE: 'worker', RABBITMQ_URL: 'amqp://a:b@localhost' }, { docs: false, metrics: true }],
  ])('of %s', (_what, env, expected) => {
    expect(exposureOf(env)).toEqual(expected);
  });
});
