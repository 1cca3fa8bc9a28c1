import type { Settings } from './settings';

type Exposure = Pick<Settings, 'NODE_ENV' | 'OPS_PORT' | 'DOCS' | 'METRICS_TOKEN' | 'APP_ROLE'>;

/** Whether strangers may reach what only operators need: production without a port of its own for it. */
const isExposed = ({ NODE_ENV, OPS_PORT }: Pick<Settings, 'NODE_ENV' | 'OPS_PORT'>): boolean =>
  NODE_ENV === 'production' && OPS_PORT === undefined;

/** Whether this process serves /docs and /docs-json. With OPS_PORT, on that port only. */
export function servesDocs(settings: Pick<Exposure, 'NODE_ENV' | 'OPS_PORT' | 'DOCS' | 'APP_ROLE'>): boolean {
  return settings.APP_ROLE.includes('api') && (settings.DOCS ?? !isExposed(settings));
}

/**
 * Whether this process serves /console: where it serves the admin endpoints, without which the console shows nothing. With
 * OPS_PORT, on that port only.
 */
export function servesConsole({ APP_ROLE }: Pick<Exposure, 'APP_ROLE'>): boolean {
  return APP_ROLE.includes('api');
}

/** Whether /metrics is refused to everybody, because there is no token and strangers may reach it. */
export function metricsAreClosed(settings: Pick<Exposure, 'NODE_ENV' | 'OPS_PORT' | 'METRICS_TOKEN'>): boolean {
  return settings.METRICS_TOKEN === undefined && isExposed(settings);
}
