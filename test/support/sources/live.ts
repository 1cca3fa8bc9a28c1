import { LiveSource } from '../../../src/sources/directory/live-source';
import type { ExaminationContext } from '../../../src/sources/intake/examine-request';
import type { SealedSource } from '../../../src/sources/directory/source';

const CONTENT = {
  MAX_EVENT_BYTES: 262_144,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_EVENT_ID: true,
  DEDUPE_INCLUDE_OCCURRED_AT: true,
} as const;

const NO_TOOLS = {
  certificate: () => Promise.reject(new Error('no certificate is needed')),
  keySet: () => Promise.reject(new Error('no keys are needed')),
};

const ROW: SealedSource = {
  id: '0190d0c0-0000-7000-8000-000000000001',
  tenantId: 'acme',
  name: 'shop',
  uid: null,
  provider: 'custom',
  verification: { scheme: 'none' },
  mapping: {},
  answers: {},
  accept: null,
  handshake: null,
  expectEverySeconds: null,
  activeHours: null,
  learnSilence: false,
  allowUnverified: true,
  status: 'active',
  tokenHint: '',
  previousTokenUntil: null,
  secondSecretUntil: null,
  revision: 1,
  createdAt: '',
  updatedAt: '',
  secrets: [],
  tokenDigest: Buffer.alloc(32),
  previousTokenDigest: null,
};

/** A source without secrets, and what its requests are examined with. */
export function sourceWith(row: Partial<SealedSource>): ExaminationContext {
  const source = new LiveSource({ ...ROW, ...row }, undefined as never, NO_TOOLS);
  const request = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey: undefined };
  return { source, rules: source.rules(), request, content: CONTENT };
}
