import { hash } from 'node:crypto';
import { parseSettings, SettingsError } from '../../../src/config/parse-settings';

/** Everything that production asks for. */
const PRODUCTION = {
  NODE_ENV: 'production',
  APP_ROLE: 'all',
  DATABASE_URL: 'postgres://app:secret@db/streamforge?sslmode=require',
  REDIS_URL: 'rediss://cache:6379',
  RABBITMQ_URL: 'amqps://app:secret@broker/streamforge',
  ADMIN_TOKEN: 'kX2q9vTf0Zr7LmWb4HsDy1Ce',
  TENANT_AUTH: 'key',
  DESTINATIONS_SECRET_KEY: 'Zk3vQ0x8dWm1y7Tt2cJ5bNq9RfGhLsPaEoUiXyVwK4M=',
};

function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    parseSettings(env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}
const namesIn = (problems: string[]): string[] => problems.map((problem) => problem.split(':', 1)[0] as string);

describe('settings', () => {
  it('have the defaults of the contract', () => {
    expect(parseSettings({})).toEqual({
      NODE_ENV: 'development',
      APP_ROLE: ['api', 'publisher', 'worker'],
      PORT: 3000,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      BROKER_NAMESPACE: '',
      MAX_EVENT_BYTES: 262_144,
      STREAM_MAX_BYTES: 134_217_728,
      REQUEST_STALL_TIMEOUT_MS: 30_000,
      RESPONSE_STALL_TIMEOUT_MS: 60_000,
      MAX_CONNECTIONS: 10_000,
      MAX_BUFFER_BYTES: 268_435_456,
      MAX_DECOMPRESSORS: 256,
      MAX_STREAMS: 256,
      STREAM_MIN_BYTES_PER_SECOND: 100,
      CORS_ALLOWED_ORIGINS: [],
      TRUST_PROXY: [],
      ALLOWED_HOSTS: [],
      OPERATOR_EVENTS: true,
      OPERATOR_LOOK_EVERY_SECONDS: 10,
      OPERATOR_CLEAR_AFTER_SECONDS: 60,
      OPERATOR_DESTINATION_FAILING_SECONDS: 300,
      OPERATOR_GROWING_DEAD_LETTERS: 10,
      OPERATOR_GROWING_REJECTIONS: 50,
      OPERATOR_OUTBOX_LAG_SECONDS: 60,
      OPERATOR_QUOTA_PAUSE_SECONDS: 300,
      OPERATOR_KEY_EXPIRY_DAYS: 14,
      ALLOW_PLAINTEXT_BACKENDS: false,
      DEDUPE_STRATEGY: 'intent',
      DEDUPE_INCLUDE_EVENT_ID: true,
      DEDUPE_INCLUDE_OCCURRED_AT: true,
      IDEMPOTENCY_TTL_SECONDS: 604_800,
      IDEMPOTENCY_DB_RETENTION_DAYS: 90,
      REJECTION_RETENTION_DAYS: 30,
      EVENT_RETENTION_DAYS: 0,
      OUTBOX_RETENTION_HOURS: 24,
      TENANT_ALLOWLIST: [],
      TENANT_RATE_LIMIT_PER_MINUTE: 600_000,
      TENANT_RATE_LIMIT_BYTES_PER_MINUTE: 0,
      STREAM_PACE_MAX_SECONDS: 3_600,
      MAX_STREAMS_PER_TENANT: 16,
      SPILL_MAX_BYTES: 536_870_912,
      ADMIN_RATE_LIMIT_PER_MINUTE: 300,
      OIDC_ROLES: [],
      OIDC_SCOPE: 'openid email profile',
      REPLAY_MAX_LIMIT: 5_000,
      OUTBOX_BATCH_SIZE: 1_000,
      OUTBOX_INFLIGHT_LEASE_SECONDS: 30,
      PUBLISH_TIMEOUT_MS: 10_000,
      BUNDLE_MAX_EVENTS: 1,
      RABBITMQ_PREFETCH: 500,
      WORKER_BATCH_SIZE: 100,
      WORKER_HANDLER_CONCURRENCY: 64,
      WORKER_TENANT_CONCURRENCY: 16,
      MAX_RETRY_ATTEMPTS: 5,
      RETRY_BACKOFF_MS: [1_000, 5_000, 30_000, 120_000, 600_000],
      RETRY_JITTER: 0.2,
      DELIVERY_RETRY_SCHEDULE_SECONDS: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
      DESTINATION_DISABLE_AFTER_HOURS: 120,
      RECONCILE_AFTER_SECONDS: 60,
      DESTINATIONS_ALLOW_PRIVATE: false,
      DESTINATIONS_ALLOWED_CIDRS: [],
      DESTINATIONS_NAME_SERVERS: [],
      DESTINATIONS_SECRET_KEY: [],
      DLQ_COPY: false,
      INSTALLATION_KEY: [],
      KEEP_ALIVE_TIMEOUT_MS: 75_000,
      SHUTDOWN_DRAIN_MS: 5_000,
      SHUTDOWN_GRACE_MS: 25_000,
      OTEL_SERVICE_NAME: 'streamforge',
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_TRACES_SAMPLER_ARG: 1,
      STREAMFORGE_DATA_DIR: '.streamforge',
    });
  });

  it('read the key of the installation in base64 or hex, and a second one while it is rotated', () => {
    const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect(parseSettings({ INSTALLATION_KEY: a.toString('base64') }).INSTALLATION_KEY).toEqual([a]);
    const two = `${a.toString('hex')}, ${b.toString('base64url')}`;
    expect(parseSettings({ INSTALLATION_KEY: two }).INSTALLATION_KEY).toEqual([a, b]);
    for (const wrong of ['no key', 'ab'.repeat(31), a.toString('base64').slice(4), `${two},${a.toString('hex')}`]) {
      expect(() => parseSettings({ INSTALLATION_KEY: wrong })).toThrow(/INSTALLATION_KEY: /);
      expect(() => parseSettings({ INSTALLATION_KEY: wrong })).not.toThrow(wrong);
    }
  });

  it('leave at least half of the grace period for the work in hand', () => {
    expect(parseSettings({ SHUTDOWN_GRACE_MS: '6000' }).SHUTDOWN_DRAIN_MS).toBe(1_200);
    expect(parseSettings({ SHUTDOWN_GRACE_MS: '6000', SHUTDOWN_DRAIN_MS: '3000' }).SHUTDOWN_DRAIN_MS).toBe(3_000);
    expect(() => parseSettings({ SHUTDOWN_GRACE_MS: '6000', SHUTDOWN_DRAIN_MS: '3001' })).toThrow(
      'SHUTDOWN_DRAIN_MS: must be at most half of SHUTDOWN_GRACE_MS',
    );
  });

  it('take empty text for unset', () => {
    expect(parseSettings({ PORT: '', TENANT_ALLOWLIST: '', REDIS_URL: '' })).toEqual(parseSettings({}));
  });

  it('read lists, numbers, truth and URLs', () => {
    const env = {
      APP_ROLE: 'api',
      TENANT_ALLOWLIST: 'acme, other',
      RETRY_BACKOFF_MS: '10,20',
      RETRY_JITTER: '0',
      DEDUPE_INCLUDE_OCCURRED_AT: 'false',
      DATABASE_URL: 'postgresql://db/x',
    };
    expect(parseSettings(env)).toMatchObject({
      APP_ROLE: ['api'],
      TENANT_ALLOWLIST: ['acme', 'other'],
      RETRY_BACKOFF_MS: [10, 20],
      RETRY_JITTER: 0,
      DEDUPE_INCLUDE_OCCURRED_AT: false,
      DATABASE_URL: 'postgresql://db/x',
    });
  });

  it.each([
    [{}, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]],
    [{ DELIVERY_RETRY_SCHEDULE_SECONDS: '0.5,2' }, [0.5, 2]],
    [{ DELIVERY_RETRY_SCHEDULE_SECONDS: '0.5,2', MAX_RETRY_ATTEMPTS: '9' }, [0.5, 2]],
    [{ MAX_RETRY_ATTEMPTS: '3' }, [1, 5]],
    [{ MAX_RETRY_ATTEMPTS: '1' }, []],
    [{ RETRY_BACKOFF_MS: '100,250' }, [0.1, 0.25, 0.25, 0.25]],
  ])('schedule deliveries as handlers where only the retries of handlers are set: %j', (env, schedule) => {
    expect(parseSettings(env).DELIVERY_RETRY_SCHEDULE_SECONDS).toEqual(schedule);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(parseSettings({}))).toBe(true);
  });

  it.each([
    ['PORT', '80 80'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['MAX_EVENT_BYTES', '256k'],
    ['MAX_EVENT_BYTES', '1e6'],
    ['MAX_RETRY_ATTEMPTS', '0'],
    ['RETRY_JITTER', '1.1'],
    ['DELIVERY_RETRY_SCHEDULE_SECONDS', '5,soon'],
    ['DELIVERY_RETRY_SCHEDULE_SECONDS', '604801'],
    ['DELIVERY_RETRY_SCHEDULE_SECONDS', Array(101).fill('1').join(',')],
    ['DESTINATION_DISABLE_AFTER_HOURS', '0'],
    ['RETRY_JITTER', '.5x'],
    ['RETRY_BACKOFF_MS', '1000,,5000'],
    ['DESTINATIONS_ALLOWED_CIDRS', '10.0.0.0'],
    ['DESTINATIONS_ALLOWED_CIDRS', '10.0.0.0/8,cluster'],
    ['RETRY_BACKOFF_MS', '1000,soon'],
    ['DEDUPE_INCLUDE_OCCURRED_AT', 'yes'],
    ['DEDUPE_STRATEGY', 'Intent'],
    ['LOG_LEVEL', 'verbose'],
    ['NODE_ENV', 'prod'],
    ['APP_ROLE', 'api,writer'],
    ['TENANT_ALLOWLIST', 'acme,-x'],
    ['DATABASE_URL', 'mysql://db/x'],
    ['DATABASE_URL', 'localhost'],
    ['REDIS_URL', 'redis'],
    ['REDIS_URL', 'redis://cache/first'],
    ['REDIS_URL', 'redis://cache/1/2'],
    ['REDIS_URL', 'redis://cache?rejectUnauthorized=false'],
    ['REDIS_URL', 'redis://:a#b@cache'],
    ['REDIS_URL', 'redis://:%zz@cache'],
    ['REDIS_URL', 'redis://:%fc@cache'],
    ['RABBITMQ_URL', 'amqp://broker/a/b'],
    ['RABBITMQ_URL', 'amqps://broker?verify=verify_peer'],
    ['RABBITMQ_URL', 'amqp://broker/x#y'],
    ['RABBITMQ_URL', 'amqp://app:%fc@broker'],
  ])('refuse %s=%s', (name, text) => {
    expect(namesIn(problemsOf({ [name]: text }))).toEqual([name]);
  });

  it('list every malformed value at once, with what was expected and what was found', () => {
    const problems = problemsOf({ PORT: 'http', RETRY_JITTER: '2', LOG_LEVEL: 'loud' });
    expect(problems).toEqual([
      'PORT: expected a whole number from 0 to 65535, found "http"',
      expect.stringMatching(/^LOG_LEVEL: expected one of fatal, .*, found "loud"$/),
      'RETRY_JITTER: expected a number from 0 to 1, found "2"',
    ]);
    expect(new SettingsError(problems).message).toContain('\n  - PORT: expected');
  });

  it('name the option of a URL that has no effect', () => {
    expect(problemsOf({ RABBITMQ_URL: 'amqps://app:hunter2@broker/x?heartbeat=20&cacertfile=/ca.pem' })).toEqual([
      'RABBITMQ_URL: expected no option cacertfile, which has no effect (those that have one: heartbeat, channelMax, frameMax, locale), found another value',
    ]);
  });

  it.each([
    ['REDIS_URL', 'rediss://app:%C3%BC%23@cache:6380/15?family=6'],
    ['REDIS_URL', 'redis://cache/'],
    ['RABBITMQ_URL', 'amqp://app:%C3%BC@broker/%2Fa%2Fb?heartbeat=20'],
    ['RABBITMQ_URL', 'amqp://broker/'],
  ])('take %s=%s', (name, text) => {
    expect(problemsOf({ [name]: text })).toEqual([]);
  });

  it('list malformed values together with what production refuses', () => {
    const { REDIS_URL: _redis, ...env } = PRODUCTION;
    expect(namesIn(problemsOf({ ...env, PORT: 'http' })).toSorted()).toEqual(['PORT', 'REDIS_URL']);
  });

  it.each(['DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT'])(
    'do not echo the password in a malformed %s',
    (name) => {
      expect(problemsOf({ [name]: 'gopher://app:hunter2@host/x' }).join()).toMatch(
        new RegExp(`^${name}: (?!.*hunter2)`),
      );
    },
  );
});

describe('risky combinations are refused:', () => {
  it.each([
    ['a lease that ends before a publish may', { OUTBOX_INFLIGHT_LEASE_SECONDS: '10', PUBLISH_TIMEOUT_MS: '10000' }],
    ['a worker batch that never fills', { WORKER_BATCH_SIZE: '20', RABBITMQ_PREFETCH: '10' }],
    ['a publisher alone with a broker inside the process', { APP_ROLE: 'api,publisher' }],
    ['a worker alone with a broker inside the process', { APP_ROLE: 'worker' }],
    ['an admin token that no header can carry', { ADMIN_TOKEN: 'twenty-four letters, ähm' }],
  ])('%s', (_what, env) => {
    expect(problemsOf(env)).toHaveLength(1);
  });

  it('not a lone api, which needs no broker', () => {
    expect(problemsOf({ APP_ROLE: 'api' })).toEqual([]);
  });
});

describe('CORS_ALLOWED_ORIGINS', () => {
  it.each(['', '*', 'https://app.example.com', 'http://localhost:5173, https://a.example'])('may be %j', (text) => {
    expect(problemsOf({ CORS_ALLOWED_ORIGINS: text })).toEqual([]);
  });

  it.each([
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://APP.example.com',
    'https://app.example.com:443',
    'https://*.example.com',
    'app.example.com',
    'null',
    'file:///x',
    'https://user@app.example.com',
    '*, https://app.example.com',
  ])('may not be %j', (text) => {
    expect(namesIn(problemsOf({ CORS_ALLOWED_ORIGINS: text }))).toEqual(['CORS_ALLOWED_ORIGINS']);
  });

  it('must name the origins in production', () => {
    expect(namesIn(problemsOf({ ...PRODUCTION, CORS_ALLOWED_ORIGINS: '*' }))).toEqual(['CORS_ALLOWED_ORIGINS']);
    expect(problemsOf({ ...PRODUCTION, CORS_ALLOWED_ORIGINS: 'https://app.example.com' })).toEqual([]);
  });
});

describe('production', () => {
  it('starts with everything set', () => {
    expect(problemsOf(PRODUCTION)).toEqual([]);
  });

  it('refuses every default that is not safe there, all at once', () => {
    expect(namesIn(problemsOf({ NODE_ENV: 'production', DESTINATIONS_ALLOW_PRIVATE: 'true' })).toSorted()).toEqual([
      'ADMIN_TOKEN',
      'APP_ROLE',
      'DATABASE_URL',
      'DESTINATIONS_ALLOW_PRIVATE',
      'DESTINATIONS_SECRET_KEY',
      'RABBITMQ_URL',
      'REDIS_URL',
      'TENANT_AUTH',
    ]);
  });

  it('refuses an admin token of 23 characters and does not show it', () => {
    const problems = problemsOf({ ...PRODUCTION, ADMIN_TOKEN: 'short-token-of-23-chars' });
    expect(namesIn(problems)).toEqual(['ADMIN_TOKEN']);
    expect(problems.join()).not.toContain('short-token');
  });

  it('takes several keys for the secrets of destinations, refuses short ones and shows none', () => {
    const [a, b] = [hash('sha256', 'a', 'buffer'), hash('sha256', 'b', 'buffer')];
    const both = `${a.toString('base64')}, ${b.toString('base64url')}`;
    expect(parseSettings({ ...PRODUCTION, DESTINATIONS_SECRET_KEY: both }).DESTINATIONS_SECRET_KEY).toEqual([a, b]);
    const short = Buffer.alloc(31, 3).toString('base64');
    const problems = problemsOf({ ...PRODUCTION, DESTINATIONS_SECRET_KEY: short });
    expect(namesIn(problems)).toEqual(['DESTINATIONS_SECRET_KEY']);
    expect(problems.join()).not.toContain(short);
  });

  it.each(['amqps://guest:guest@broker', 'amqps://broker:5672'])(
    'refuses the guest account of RabbitMQ, named or by default: %s',
    (url) => {
      expect(namesIn(problemsOf({ ...PRODUCTION, RABBITMQ_URL: url }))).toEqual(['RABBITMQ_URL']);
    },
  );

  it.each([
    ['ADMIN_TOKEN', { ADMIN_TOKEN: 'change-me-change-me-change-me' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://streamforge:local-use-only@localhost/streamforge' }],
    ['RABBITMQ_URL', { RABBITMQ_URL: 'amqps://streamforge:local-use-only@rabbitmq' }],
  ])('refuses the %s of an example', (name, env) => {
    expect(namesIn(problemsOf({ ...PRODUCTION, ...env }))).toEqual([name]);
  });

  it('asks a role only for what it uses', () => {
    const { RABBITMQ_URL: _broker, ...api } = PRODUCTION;
    const { ADMIN_TOKEN: _token, ...worker } = PRODUCTION;
    const { DESTINATIONS_SECRET_KEY: _key, ...publisher } = worker;
    expect(problemsOf({ ...api, APP_ROLE: 'api' })).toEqual([]);
    expect(problemsOf({ ...worker, APP_ROLE: 'worker' })).toEqual([]);
    expect(problemsOf({ ...publisher, APP_ROLE: 'publisher' })).toEqual([]);
  });
});

describe('OIDC_ISSUER, OIDC_AUDIENCE and OIDC_ROLES', () => {
  const oidc = {
    OIDC_ISSUER: 'https://id.example.com/realms/ops',
    OIDC_AUDIENCE: 'streamforge',
    OIDC_ROLES: 'groups:platform owners=owner, https://example.com/roles:first line=support',
  };

  it('read roles by claim and value, of which the claim may be a URL', () => {
    expect(parseSettings(oidc).OIDC_ROLES).toEqual([
      { claim: 'groups', value: 'platform owners', role: 'owner' },
      { claim: 'https://example.com/roles', value: 'first line', role: 'support' },
    ]);
  });

  it.each(['groups=owner', 'groups:=owner', ':x=owner', 'groups:x=admin', 'groups:x', 'groups:x=owner,'])(
    'refuse the roles %j',
    (text) => {
      expect(namesIn(problemsOf({ ...oidc, OIDC_ROLES: text }))).toEqual(['OIDC_ROLES']);
    },
  );

  it.each([
    'http://id.example.com',
    'https://id.example.com/?tenant=1',
    'https://user:password@id.example.com',
    'id.example.com',
  ])('refuse the issuer %s, and do not show it', (text) => {
    const problems = problemsOf({ ...oidc, OIDC_ISSUER: text });
    expect(namesIn(problems)).toEqual(['OIDC_ISSUER']);
    expect(problems.join()).not.toContain(text);
  });

  it('allow an issuer without TLS on this machine only, and not in production', () => {
    const local = { ...oidc, OIDC_ISSUER: 'http://127.0.0.1:8080/realms/ops' };
    expect(problemsOf(local)).toEqual([]);
    expect(namesIn(problemsOf({ ...PRODUCTION, ...local }))).toEqual(['OIDC_ISSUER']);
    expect(problemsOf({ ...PRODUCTION, ...oidc })).toEqual([]);
  });

  it.each(['OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_ROLES'])('need each other: %s', (name) => {
    expect(namesIn(problemsOf({ ...oidc, [name]: undefined }))).toEqual([name]);
  });

  it('come before a client of the issuer, which comes before its secret', () => {
    const OIDC_CLIENT_ID = 'console';
    expect(namesIn(problemsOf({ OIDC_CLIENT_ID }))).toEqual(['OIDC_CLIENT_ID']);
    expect(namesIn(problemsOf({ ...oidc, OIDC_CLIENT_SECRET: 'x' }))).toEqual(['OIDC_CLIENT_SECRET']);
    expect(problemsOf({ ...oidc, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET: 'x' })).toEqual([]);
  });

  it('refuse a password file that would have no effect', () => {
    const DATABASE_PASSWORD_FILE = '/run/secrets/password';
    expect(problemsOf({ DATABASE_PASSWORD_FILE, DATABASE_URL: 'postgres://app@db/streamforge' })).toEqual([]);
    expect(problemsOf({ DATABASE_PASSWORD_FILE })).toEqual([expect.stringContaining('needs DATABASE_URL')]);
    expect(problemsOf({ DATABASE_PASSWORD_FILE, DATABASE_URL: 'postgres://app:secret@db/streamforge' })).toEqual([
      expect.stringContaining('DATABASE_URL has a password as well'),
    ]);
  });
});
