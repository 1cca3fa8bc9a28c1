import { X509Certificate } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { Problem } from '../../event/problems';
import { timeOfDayMs } from '../../event/time-of-day';
import type { AllowedUrl } from '../fetching/allowed-url';
import { GuardedFetch } from '../fetching/guarded-fetch';
import { KeptKeys, type KeyLife } from '../fetching/kept-keys';

/** After a failure, the URL is left alone for this long. */
const PAUSE_MS = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A key that the provider withdraws is accepted for an hour, and for a day if the provider cannot be reached. */
const KEY_SET_LIFE: KeyLife = { freshMs: HOUR_MS, usableMs: DAY_MS };
/** A key set is read again for an unknown key, but not more often than this. */
const REFRESH_MS = 60_000;

/** The public keys that providers serve, kept in memory. */
@Injectable()
export class ProviderKeys {
  private readonly logger = new Logger('Sources');
  private readonly certificates: KeptKeys<X509Certificate>;
  private readonly keySets: KeptKeys<JWTVerifyGetKey>;

  constructor(private readonly fetcher: GuardedFetch) {
    this.certificates = new KeptKeys((url) => this.read(url, parseCertificate), certificateLife);
    this.keySets = new KeptKeys(
      (url) => this.read(url, parseKeySet),
      () => KEY_SET_LIFE,
    );
  }

  /** Returns a certificate, which may have expired. @throws Problem `provider-unavailable` */
  certificate(url: AllowedUrl): Promise<X509Certificate> {
    return this.certificates.get(url).catch(unavailable);
  }

  /**
   * @param refresh because a key was not found in the set that is kept
   * @throws Problem `provider-unavailable`
   */
  keySet(url: AllowedUrl, refresh = false): Promise<JWTVerifyGetKey> {
    return this.keySets.get(url, refresh ? REFRESH_MS : Infinity).catch(unavailable);
  }

  private async read<T>(url: AllowedUrl, parse: (text: string) => T): Promise<T> {
    try {
      const { status, text } = await this.fetcher.get(url);
      if (status !== 200) throw new Error(`The provider answered ${status}.`);
      return parse(text);
    } catch (error) {
      this.logger.warn({ msg: 'sources.provider-key-unavailable', url: url.href, err: error });
      throw error;
    }
  }
}

function unavailable(): never {
  throw new Problem('provider-unavailable', 'The key that the signature is checked with cannot be fetched.', {
    retryAfterSeconds: PAUSE_MS / 1_000,
  });
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

/** The first certificate of a chain is the one that signs. */
function parseCertificate(text: string): X509Certificate {
  const pem = PEM.exec(text)?.[0];
  if (pem === undefined) throw new Error('The provider did not answer with a certificate.');
  return new X509Certificate(pem);
}

function certificateLife({ validTo }: X509Certificate): KeyLife {
  const usableMs = Math.max(PAUSE_MS, Date.parse(validTo) - timeOfDayMs());
  return { freshMs: Math.min(usableMs, DAY_MS), usableMs };
}

const parseKeySet = (text: string): JWTVerifyGetKey => createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
