import { hostName } from './named-kinds';
import { anyText, boolean, integer, listOf, network, optional, setting } from './setting-kinds';

/** What a process shows to whom, whom it believes, and how it parts from its clients. Part of SETTINGS. */
export const EXPOSURE_SETTINGS = {
  TRUST_PROXY: setting(
    listOf(network),
    '',
    'networks of the proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8,fd00::/8; it then gives the address of the client for limits, allow lists, audit and logs; empty: the address of the connection counts',
  ),
  ALLOWED_HOSTS: setting(
    listOf(hostName),
    '',
    'further names in the Host header under which a process on a loopback address is served, such as those that a proxy on the same machine passes on; localhost, names below it, loopback addresses and the host of PUBLIC_URL always are; comma-separated, without ports',
  ),
  OPS_PORT: optional(
    integer(0, 65535),
    'second TCP port, which serves everything; PORT then serves only /in, /v1 without /v1/admin, /health and /ready; 0 picks a free port; unset: none',
  ),
  METRICS_TOKEN: optional(
    anyText,
    'bearer token for /metrics; unset: /metrics is open, but in production without OPS_PORT it is refused with 401',
  ),
  DOCS: optional(
    boolean,
    'whether the api serves /docs and /docs-json; unset: true, but in production without OPS_PORT false',
  ),
  ALLOW_PLAINTEXT_BACKENDS: setting(
    boolean,
    'false',
    'whether production may connect to PostgreSQL, Redis and RabbitMQ on other hosts without TLS; true only where their network is private',
  ),
  KEEP_ALIVE_TIMEOUT_MS: setting(
    integer(1_000, 3_600_000),
    '75000',
    'how long an idle connection of a client is kept, in ms; longer than the idle timeout of the load balancer in front, so that the balancer closes it first',
  ),
  SHUTDOWN_DRAIN_MS: setting(
    integer(0, 3_600_000),
    '5000',
    'how long the api goes on serving after SIGTERM, with /ready 503 and each response closing its connection, so that load balancers send requests elsewhere, in ms; part of SHUTDOWN_GRACE_MS and at most half of it; unset: at most a fifth of it',
  ),
  SHUTDOWN_GRACE_MS: setting(
    integer(100, 3_600_000),
    '25000',
    'how long a shutdown may take before the process exits anyway, in ms',
  ),
} as const;
