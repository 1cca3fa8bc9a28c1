import { isTenantId } from '../event/tenant';
import { parseRoles, type Role } from './roles';
import {
  anyText,
  base64Bytes,
  boolean,
  fraction,
  integer,
  listOf,
  oneOf,
  url,
  type Kind,
  type Setting,
} from './setting-kinds';

const setting = <T>(kind: Kind<T>, fallback: string, meaning: string): Setting<T> => ({
  parse: (text) => kind.parse(text),
  default: fallback,
  meaning,
});
const optional = <T>(kind: Kind<T>, meaning: string): Setting<T | undefined> => ({
  parse: (text) => kind.parse(text),
  default: undefined,
  meaning,
});

const roles: Kind<Role[]> = {
  parse: (text) => {
    const value = parseRoles(text);
    return value ? { value } : { expected: 'api, publisher, worker, a comma list of them, or all' };
  },
};
const tenant: Kind<string> = {
  parse: (text) => (isTenantId(text) ? { value: text } : { expected: 'a tenant id' }),
};

/** Every setting there is, by its name in the environment. `.env.example` lists the same, which a test compares. */
export const SETTINGS = {
  NODE_ENV: setting(
    oneOf('development', 'test', 'production'),
    'development',
    'production refuses every default that is not safe there',
  ),
  APP_ROLE: setting(
    roles,
    'all',
    'what this process does: api, publisher, worker, a comma list, or all (not the default in production)',
  ),
  PORT: setting(integer(0, 65535), '3000', 'TCP port of the HTTP server of every role; 0 takes a free one'),
  HOST: setting(anyText, '127.0.0.1', 'address to listen on; 0.0.0.0 in a container'),
  LOG_LEVEL: setting(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'least severe log lines to write',
  ),
  DATABASE_URL: optional(
    url('postgres:', 'postgresql:'),
    'PostgreSQL 15 or newer; unset: the embedded one under .streamforge/',
  ),
  REDIS_URL: optional(url('redis:', 'rediss:'), 'Redis or Valkey; unset: cache and wake-up inside this process'),
  RABBITMQ_URL: optional(
    url('amqp:', 'amqps:'),
    'RabbitMQ 3.10 to 4.x; unset: a broker inside this process, which must then be publisher and worker',
  ),
  MAX_EVENT_BYTES: setting(integer(1024, 16_777_216), '262144', 'largest event as received, in bytes'),
  STREAM_MAX_BYTES: setting(integer(1024), '134217728', 'largest stream, in decompressed bytes'),
  REQUEST_STALL_TIMEOUT_MS: setting(
    integer(100, 600_000),
    '30000',
    'a request body that brings nothing for this long is answered 408, in ms',
  ),
  MAX_CONNECTIONS: setting(
    integer(1, 1_000_000),
    '10000',
    'most open connections of the HTTP server; further ones are closed at once',
  ),
  DEDUPE_STRATEGY: setting(
    oneOf('intent', 'full'),
    'intent',
    'what makes two events without a key the same: intent (content) or full (content and eventId)',
  ),
  DEDUPE_INCLUDE_OCCURRED_AT: setting(boolean, 'true', 'false for producers that stamp each retry anew'),
  IDEMPOTENCY_TTL_SECONDS: setting(integer(1), '604800', 'how long the cache remembers committed keys, in seconds'),
  IDEMPOTENCY_DB_RETENTION_DAYS: setting(integer(1), '90', 'how long PostgreSQL remembers keys, in days'),
  EVENT_RETENTION_DAYS: setting(integer(0), '0', 'events older than this are dropped, in days; 0 keeps them'),
  OUTBOX_RETENTION_HOURS: setting(integer(1), '24', 'published outbox entries are kept this long, in hours'),
  TENANT_ALLOWLIST: setting(listOf(tenant), '', 'comma list of the only tenants that may send; empty: all'),
  TENANT_RATE_LIMIT_PER_MINUTE: setting(
    integer(0),
    '600000',
    'events a tenant may send per minute; a stream costs one per record; 0: no limit',
  ),
  ADMIN_TOKEN: optional(
    anyText,
    'secret for X-Admin-Token, 24 characters or more in production; unset elsewhere: a new one at each start, printed once',
  ),
  ADMIN_RATE_LIMIT_PER_MINUTE: setting(integer(1), '300', 'admin requests per minute, refused tokens included'),
  REPLAY_MAX_LIMIT: setting(integer(1), '5000', 'most events that one replay may take'),
  OUTBOX_BATCH_SIZE: setting(integer(1, 10_000), '1000', 'most outbox entries in one claim'),
  OUTBOX_INFLIGHT_LEASE_SECONDS: setting(
    integer(1, 3600),
    '30',
    'a claim older than this may be taken over by another publisher, in seconds',
  ),
  PUBLISH_TIMEOUT_MS: setting(integer(100, 600_000), '10000', 'how long to wait for the confirms of one claim, in ms'),
  RABBITMQ_PREFETCH: setting(integer(1, 65_535), '500', 'deliveries that a worker holds at most'),
  WORKER_BATCH_SIZE: setting(integer(1, 1000), '100', 'most deliveries settled in one transaction'),
  WORKER_HANDLER_CONCURRENCY: setting(integer(1, 10_000), '64', 'calls that an external handler makes at a time'),
  WORKER_TENANT_CONCURRENCY: setting(integer(1, 10_000), '16', 'calls of them that may be for one tenant'),
  MAX_RETRY_ATTEMPTS: setting(integer(1, 100), '5', 'attempts before an event is dead-lettered'),
  RETRY_BACKOFF_MS: setting(
    listOf(integer(1)),
    '1000,5000,30000,120000,600000',
    'wait before each retry, in ms; the last one repeats',
  ),
  RETRY_JITTER: setting(fraction(0, 1), '0.2', 'share by which a wait varies at random, 0 to 1'),
  RECONCILE_AFTER_SECONDS: setting(
    integer(1),
    '60',
    'a published event without an attempt after this is dispatched again, in seconds',
  ),
  METRICS_TOKEN: optional(anyText, 'bearer token for /metrics; unset: open'),
  DESTINATIONS_ALLOW_PRIVATE: setting(boolean, 'false', 'true lets destinations have private and loopback addresses'),
  DESTINATIONS_REQUIRE_HTTPS: optional(
    boolean,
    'true refuses destinations with http: URLs; unset: true in production, false elsewhere',
  ),
  DESTINATIONS_SECRET_KEY: setting(
    listOf(base64Bytes(32)),
    '',
    'seals the secrets of destinations: 32 bytes in base64, must be set in production; of a comma list the first seals and all open; empty: a key kept in the database',
  ),
  SHUTDOWN_GRACE_MS: setting(
    integer(100, 3_600_000),
    '25000',
    'how long SIGTERM may take before the process ends anyway, in ms',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(url('http:', 'https:'), 'where traces go; unset: tracing is off'),
  OTEL_TRACES_SAMPLER: setting(
    oneOf(
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
      'always_on',
      'always_off',
      'traceidratio',
    ),
    'parentbased_always_on',
    'which traces are kept; parentbased_ does as the caller does, the others decide alone',
  ),
  OTEL_TRACES_SAMPLER_ARG: setting(fraction(0, 1), '1', 'share of traces that a traceidratio sampler keeps, 0 to 1'),
  OTEL_SERVICE_NAME: setting(anyText, 'streamforge', 'service name in traces'),
  STREAMFORGE_DATA_DIR: setting(anyText, '.streamforge', 'where the embedded PostgreSQL keeps its files'),
} as const satisfies Record<string, Setting<unknown>>;

type Table = typeof SETTINGS;
type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The parsed, frozen configuration. Names are those of the environment, so that one search finds every use. */
export type Settings = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

/** Nest token of the Settings. */
export const SETTINGS_TOKEN = Symbol('Settings');
