import { Logger } from '@nestjs/common';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { protectedUrl, readConfiguration, fetchJson, type FetchOptions } from './issuer-configuration';

/** How long keys are used before they are read again. A key that the issuer withdraws is accepted for this long. */
const MAX_AGE_MS = 600_000;
/** The shortest time between two reads that unknown keys cause. */
const COOLDOWN_MS = 30_000;
/** For the configuration and the keys together. */
export const TIMEOUT_MS = 3_000;
/** After a failure, the issuer is left alone for this long. */
export const PAUSE_AFTER_FAILURE_MS = 5_000;

/** The keys of the issuer cannot be read. */
export class IssuerUnavailableError extends Error {
  constructor(why: string, options?: ErrorOptions) {
    super(why, options);
    this.name = 'IssuerUnavailableError';
  }
}

interface KnownKeys {
  keys: JWTVerifyGetKey;
  /** In ms of performance.now(). The ages of jose's own createRemoteJWKSet are of the clock of the machine. */
  readAtMs: number;
}

/**
 * Returns the public keys of an OIDC issuer, for the verification of its tokens. They are kept in memory. The
 * configuration of the issuer is read again with the keys, so that the issuer may move them.
 */
export function issuerKeys(issuer: string): JWTVerifyGetKey {
  const logger = new Logger('Access');
  let pausedUntilMs = 0;
  let known: KnownKeys | undefined;
  let reading: Promise<KnownKeys> | undefined;
  const read = async (): Promise<JWTVerifyGetKey> => {
    if (performance.now() < pausedUntilMs)
      throw new IssuerUnavailableError('The last attempt to read its keys has failed.');
    try {
      const published = await readKeys(issuer, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' });
      return createLocalJWKSet(published as JSONWebKeySet); // throws if it is no key set
    } catch (error) {
      pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      logger.warn({ msg: 'access.issuer-unavailable', issuer, err: error });
      throw new IssuerUnavailableError('Its keys cannot be read.', { cause: error });
    }
  };
  const readAndKeep = async (): Promise<KnownKeys> => {
    const keys = await read();
    return (known = { keys, readAtMs: performance.now() });
  };
  const readOnce = (): Promise<KnownKeys> => (reading ??= readAndKeep().finally(() => (reading = undefined)));
  return async (header, token) => {
    const held = known && isYounger(known, MAX_AGE_MS) ? known : await readOnce();
    try {
      return await held.keys(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || isYounger(held, COOLDOWN_MS)) throw error;
      return (await readOnce()).keys(header, token);
    }
  };
}

const isYounger = ({ readAtMs }: KnownKeys, ms: number): boolean => performance.now() < readAtMs + ms;

/** @throws if the issuer does not answer, or with something else than its configuration and keys */
export async function readKeys(issuer: string, options: FetchOptions): Promise<unknown> {
  const { jwks_uri: url } = await readConfiguration(issuer, options);
  return fetchJson(protectedUrl('jwks_uri', url), options);
}
