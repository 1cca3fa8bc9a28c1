import { ask, expectStatus } from './access/access-admin';

/** A source as the admin endpoints show it. */
export interface SourceBody {
  id: string;
  tenantId: string;
  name: string;
  uid: string | null;
  provider: string;
  verification: object | null;
  mapping: object;
  answers: object;
  status: string;
  allowUnverified: boolean;
  expectEverySeconds: number | null;
  learnSilence: boolean;
  learned: { state: string; weeks: number; weeksNeeded: number } | null;
  urlHint: string;
  previousUrlUntil: string | null;
  secretHints: string[];
  secondSecretUntil: string | null;
  needsSecret: boolean;
  /** Only in the response that makes the token. */
  url: string;
}

/** A custom source whose requests are signed with HMAC over the body, in hex. */
export const CUSTOM = {
  name: 'till',
  provider: 'custom',
  verification: { scheme: 'hmac', algorithm: 'sha256', encoding: 'hex', header: 'x-signature', signed: '{body}' },
  mapping: { eventType: '/type', subject: '/id', eventId: '/id' },
};

/** Creates a source through the API. Every process then admits its requests. */
export function createdSource(url: string, fields: object = {}): Promise<SourceBody> {
  return expectStatus(
    201,
    ask<SourceBody>(url, 'POST', 'sources', { body: { tenantId: 'demo', ...CUSTOM, ...fields } }),
  );
}
