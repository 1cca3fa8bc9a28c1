import { EXPOSURE_SETTINGS } from './exposure-settings';
import { namespace, nameServers, origin, proxyUrl, rabbitUrl, redisUrl, roles, tenant } from './named-kinds';
import { OIDC_SETTINGS } from './oidc-settings';
import { OPERATOR_EVENT_SETTINGS } from './operator-event-settings';
import {
  anyText,
  base64Bytes,
  boolean,
  fraction,
  integer,
  keyBytes,
  listOf,
  network,
  oneOf,
  optional,
  setting,
  url,
  type Setting,
} from './setting-kinds';
import { postgresUrl } from './urls/database-url';

/** All settings, by their names in the environment. A test compares them with `.env.example`. */
export const SETTINGS = {
  NODE_ENV: setting(
    oneOf('development', 'test', 'production'),
    'development',
    'environment; production refuses unsafe defaults',
  ),
  APP_ROLE: setting(
    roles,
    'all',
    'roles of this process: api, publisher, worker, a comma-separated list of them, or all; required in production',
  ),
  PORT: setting(integer(0, 65535), '3000', 'TCP port of the HTTP server, which every role has; 0 picks a free port'),
  HOST: setting(anyText, '127.0.0.1', 'address to listen on; use 0.0.0.0 in a container'),
  PUBLIC_URL: optional(
    url('http:', 'https:'),
    'URL under which producers reach this installation, such as https://events.example.com; the URLs of sources begin with it, and some providers sign it; unset: the address on which the process listens',
  ),
  ...EXPOSURE_SETTINGS,
  ...OPERATOR_EVENT_SETTINGS,
  LOG_LEVEL: setting(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'minimum level of the log lines',
  ),
  DATABASE_URL: optional(postgresUrl, 'PostgreSQL 15 or newer; unset: an embedded PostgreSQL under .streamforge/'),
  DATABASE_PASSWORD_FILE: optional(
    anyText,
    'file with the password for DATABASE_URL, which then has none; each new connection reads it, so that the password can be rotated while the process runs',
  ),
  REDIS_URL: optional(redisUrl, 'Redis or Valkey; unset: cache and rate limits are in this process'),
  RABBITMQ_URL: optional(
    rabbitUrl,
    'RabbitMQ 3.10 to 4.x; unset: the broker is in this process, which must then be both publisher and worker',
  ),
  BROKER_NAMESPACE: setting(namespace, '', 'prefix of exchanges and queues; staging: staging.events.main; empty: none'),
  MAX_EVENT_BYTES: setting(integer(1024, 16_777_216), '262144', 'maximum size of an event as received, in bytes'),
  STREAM_MAX_BYTES: setting(integer(1024), '134217728', 'maximum size of a stream after decompression, in bytes'),
  REQUEST_STALL_TIMEOUT_MS: setting(
    integer(100, 600_000),
    '30000',
    'a request whose body sends no bytes for this long gets 408, in ms',
  ),
  RESPONSE_STALL_TIMEOUT_MS: setting(
    integer(100, 3_600_000),
    '60000',
    'a connection whose client reads nothing of a pending response for this long, and has not sent 64 KiB meanwhile, is closed, in ms',
  ),
  MAX_CONNECTIONS: setting(
    integer(1, 1_000_000),
    '10000',
    'maximum number of open HTTP connections; further ones are closed at once',
  ),
  MAX_BUFFER_BYTES: setting(
    integer(16_777_216),
    '268435456',
    'bytes that a process holds for requests that it is receiving (bodies, streams, decompressors), half of them for one tenant, and half for all unknown senders; further ones get 503',
  ),
  MAX_DECOMPRESSORS: setting(
    integer(1, 10_000),
    '256',
    'maximum number of encoded bodies that a process decodes at a time, half of them for one tenant; further ones of a tenant get 503, others wait for up to 5 s first',
  ),
  MAX_STREAMS: setting(
    integer(1, 100_000),
    '256',
    'maximum number of streams that an api process receives at a time from all tenants; further ones get 503',
  ),
  STREAM_MIN_BYTES_PER_SECOND: setting(
    integer(0, 1_000_000),
    '100',
    'minimum pace of a stream after its first minute: one that brings neither a record nor this many bytes per second within a minute gets 408; 0: no limit',
  ),
  DEDUPE_STRATEGY: setting(
    oneOf('intent', 'full'),
    'intent',
    'what identifies an event by its content: intent (its content) or full (its content and its own id, if it has one)',
  ),
  DEDUPE_INCLUDE_EVENT_ID: setting(
    boolean,
    'true',
    "whether the producer's own id separates events; false for producers that invent a new id for each retry",
  ),
  DEDUPE_INCLUDE_OCCURRED_AT: setting(
    boolean,
    'true',
    'whether occurredAt is part of the content; false for producers that set a new time on each retry',
  ),
  IDEMPOTENCY_TTL_SECONDS: setting(integer(1), '604800', 'how long the cache remembers idempotency keys, in seconds'),
  IDEMPOTENCY_DB_RETENTION_DAYS: setting(integer(1), '90', 'how long PostgreSQL remembers idempotency keys, in days'),
  REJECTION_RETENTION_DAYS: setting(
    integer(0),
    '30',
    'how long refused records of sources are kept, in days; 0: forever',
  ),
  EVENT_RETENTION_DAYS: setting(integer(0), '0', 'how long events are kept, in days; 0: forever'),
  OUTBOX_RETENTION_HOURS: setting(integer(1), '24', 'how long published outbox entries are kept, in hours'),
  TENANT_AUTH: optional(
    oneOf('header', 'key', 'both'),
    'how a tenant proves who it is: key (an API key), header (X-Tenant-Id alone is enough; a proxy in front must have checked it), or both (as header, while producers change over to keys); required in production for api, otherwise header if unset',
  ),
  TENANT_ALLOWLIST: setting(listOf(tenant), '', 'comma-separated list of the tenants that may send events; empty: all'),
  TENANT_RATE_LIMIT_PER_MINUTE: setting(
    integer(0),
    '600000',
    'events that a tenant may send per minute; each record of a stream counts, duplicates do not; 0: no limit',
  ),
  TENANT_RATE_LIMIT_BYTES_PER_MINUTE: setting(
    integer(0),
    '0',
    'decompressed bytes that a tenant may send per minute, duplicates included; 0: no limit',
  ),
  STREAM_PACE_MAX_SECONDS: setting(
    integer(0, 86_400),
    '3600',
    'how long a stream may wait in total for the limit of its tenant before it ends with 429, in seconds',
  ),
  MAX_STREAMS_PER_TENANT: setting(
    integer(1, 100_000),
    '16',
    'maximum number of streams that an api process receives at a time from one tenant; further ones get 429',
  ),
  SPILL_DIRECTORY: optional(
    anyText,
    'directory for stream results that clients have not read yet; if it is not writable, the api does not start; unset: the directory for temporary files of the system; if that is not writable, a stream waits until its client reads',
  ),
  SPILL_MAX_BYTES: setting(
    integer(0),
    '536870912',
    'maximum total size of the files of a process in SPILL_DIRECTORY, in bytes; one tenant may use half; when it is reached, a stream waits until its client reads; 0: no files',
  ),
  ADMIN_TOKEN: optional(
    anyText,
    'value of X-Admin-Token; in production required, with 24 characters or more; otherwise, if unset, one is generated, kept in the database and printed at the start',
  ),
  ADMIN_RATE_LIMIT_PER_MINUTE: setting(
    integer(1),
    '300',
    'admin requests per minute and client address; refused credentials have a count of their own with this limit',
  ),
  ...OIDC_SETTINGS,
  REPLAY_MAX_LIMIT: setting(integer(1), '5000', 'maximum number of events in one replay'),
  OUTBOX_BATCH_SIZE: setting(integer(1, 10_000), '1000', 'maximum number of outbox entries in one claim'),
  OUTBOX_INFLIGHT_LEASE_SECONDS: setting(
    integer(1, 3600),
    '30',
    'lease of a claim, after which another publisher may take its entries, in seconds',
  ),
  PUBLISH_TIMEOUT_MS: setting(
    integer(100, 600_000),
    '10000',
    'how long a publisher waits for the confirms of one claim, in ms',
  ),
  BUNDLE_MAX_EVENTS: setting(
    integer(1, 50), // MOST_IN_BUNDLE
    '1',
    'maximum number of events that one message of RabbitMQ carries; 1: every event has a message of its own',
  ),
  RABBITMQ_PREFETCH: setting(integer(1, 65_535), '500', 'maximum number of unsettled events that a worker holds'),
  WORKER_BATCH_SIZE: setting(integer(1, 1000), '100', 'maximum messages that a worker settles in one transaction'),
  WORKER_HANDLER_CONCURRENCY: setting(
    integer(1, 10_000),
    '64',
    'maximum number of concurrent calls of an external handler',
  ),
  WORKER_TENANT_CONCURRENCY: setting(
    integer(1, 10_000),
    '16',
    'maximum number of concurrent calls of an external handler for one tenant',
  ),
  MAX_RETRY_ATTEMPTS: setting(
    integer(1, 100),
    '5',
    'number of attempts of its handlers after which an event is dead-lettered',
  ),
  RETRY_BACKOFF_MS: setting(
    listOf(integer(1)),
    '1000,5000,30000,120000,600000',
    'wait before each retry of the handlers of an event, in ms; the last value repeats',
  ),
  RETRY_JITTER: setting(fraction(0, 1), '0.2', 'random variation of each wait, as a fraction from 0 to 1'),
  DELIVERY_RETRY_SCHEDULE_SECONDS: setting(
    listOf(fraction(0, 604_800)),
    '5,300,1800,7200,18000,36000,50400,72000,86400',
    'waits between the tries of a delivery, in seconds; when it is unset and MAX_RETRY_ATTEMPTS or RETRY_BACKOFF_MS is set, those two apply to deliveries as well',
  ),
  DESTINATION_DISABLE_AFTER_HOURS: setting(
    integer(1, 8760),
    '120',
    'time without a successful delivery after which a failing destination is disabled, in hours',
  ),
  RECONCILE_AFTER_SECONDS: setting(
    integer(1),
    '60',
    'age at which a published event without an attempt is dispatched again, in seconds',
  ),
  DLQ_COPY: setting(
    boolean,
    'false',
    'whether a reference to each dead letter (ids and the reason, no payload) is published to the queue events.dlq, for consumers of your own; the newest 100000 and 64 MiB are kept there',
  ),
  CORS_ALLOWED_ORIGINS: setting(
    listOf(origin),
    '',
    'comma-separated list of the origins whose scripts may call the API (CORS); * allows all and is refused in production; empty: none',
  ),
  DESTINATIONS_ALLOW_PRIVATE: setting(
    boolean,
    'false',
    'whether destinations may have private and loopback addresses; production requires false',
  ),
  DESTINATIONS_ALLOWED_CIDRS: setting(
    listOf(network),
    '',
    'private networks in which destinations may be, such as 10.0.0.0/8,fd00::/8; loopback, link-local and metadata addresses stay refused',
  ),
  DESTINATIONS_NAME_SERVERS: setting(
    nameServers,
    '',
    'name servers that resolve the hosts of destinations, such as 10.0.0.53,10.0.0.54:5353; empty: those of /etc/resolv.conf; system: the resolver of the operating system, which resolves only a few names at a time',
  ),
  DESTINATIONS_PROXY_URL: optional(
    proxyUrl,
    'HTTP proxy through which destinations, their token endpoints and the certificates of providers are reached (CONNECT), such as http://user:password@proxy:3128; it resolves the names, and has to refuse private networks; unset: none',
  ),
  DESTINATIONS_REQUIRE_HTTPS: optional(
    boolean,
    'whether destinations must have https: URLs; unset: true in production, false otherwise',
  ),
  DESTINATIONS_SECRET_KEY: setting(
    listOf(base64Bytes(32)),
    '',
    'key that seals the secrets of destinations, 32 bytes in base64; required in production for api and worker; of a comma-separated list the first key seals and every key opens; empty: a generated key in the database',
  ),
  INSTALLATION_KEY: setting(
    listOf(keyBytes(32)),
    '',
    'key that signs the messages to workers and the facts in Redis, the same for all processes, 32 bytes in base64 or hex; of two, separated by a comma, the first signs and both verify; empty: one that was made once and is kept sealed in the database; what is signed with that one is trusted in any case',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    url('http:', 'https:'),
    'OTLP endpoint that receives traces; unset: tracing is off',
  ),
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
    'sampler of traces; a parentbased_ sampler follows the decision of the caller',
  ),
  OTEL_TRACES_SAMPLER_ARG: setting(
    fraction(0, 1),
    '1',
    'fraction of traces that a traceidratio sampler keeps, from 0 to 1',
  ),
  OTEL_SERVICE_NAME: setting(anyText, 'streamforge', 'service name in traces'),
  STREAMFORGE_DATA_DIR: setting(anyText, '.streamforge', 'directory of the embedded PostgreSQL'),
} as const satisfies Record<string, Setting<unknown>>;

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The parsed, frozen configuration. Its names are those of the environment, so that one search finds every use. */
export type Settings = { readonly [Name in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Name]> };

/** Nest token of the Settings. */
export const SETTINGS_TOKEN = Symbol('Settings');
