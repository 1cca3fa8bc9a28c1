import type { Answers } from './answers';
import type { Mapping } from '../mapping/mapping';
import type { ActiveHours } from '../../silence/active-hours';
import type { Verification } from '../verification/verification';

export const SOURCE_STATUSES = ['active', 'paused'] as const;
export type SourceStatus = (typeof SOURCE_STATUSES)[number];

/** A URL for one producer, as it is stored. What is null or missing comes from the preset of its provider. */
export interface Source {
  id: string;
  tenantId: string;
  /** The `source` of its events. */
  name: string;
  /** The caller's own name for it, unique within the tenant. */
  uid: string | null;
  /** Id of a preset, or `custom`. */
  provider: string;
  verification: Verification | null;
  mapping: Mapping;
  answers: Answers;
  /** Filter over the normalised event. Events that do not pass are answered as accepted and not stored. */
  accept: object | null;
  /** Name of a handshake (handshakes.ts) of a provider without a preset. */
  handshake: string | null;
  expectEverySeconds: number | null;
  /** Outside of them, nothing is expected. Null: always. */
  activeHours: ActiveHours | null;
  /** What is usual is learned, and a silence that is unusual is told. */
  learnSilence: boolean;
  allowUnverified: boolean;
  status: SourceStatus;
  /** The last characters of the token, to tell URLs apart. */
  tokenHint: string;
  /** Until then, the previous URL works as well. */
  previousTokenUntil: string | null;
  /** Until then, the second secret counts. Null: for ever, if there is a second one. */
  secondSecretUntil: string | null;
  /** Every change raises it. */
  revision: number;
  createdAt: string;
  updatedAt: string;
}

/** A source with its secrets, still sealed, and the digests of its tokens. */
export interface SealedSource extends Source {
  /** At most two, the newest first. */
  secrets: Buffer[];
  tokenDigest: Buffer;
  previousTokenDigest: Buffer | null;
}

export const CUSTOM_PROVIDER = 'custom';

export const SOURCE_LIMITS = {
  ofTenant: 1_000,
  /** Every api process holds all sources in memory. */
  ofInstallation: 10_000,
  secrets: 2,
} as const;
