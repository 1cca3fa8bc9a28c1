import type { Breach } from '../verify/oracle/violation';

/** A change to one file. `find` must occur there exactly once. */
export interface Edit {
  file: string;
  find: string;
  replace: string;
}

export const STAGES = [
  'ingest',
  'cache',
  'store',
  'outbox',
  'broker',
  'worker',
  'settlement',
  'delivery',
  'chores',
  'admin',
  'access',
  'shutdown',
  'limits',
  'sources',
] as const;
export type Stage = (typeof STAGES)[number];

/** A run of the fault suite that must report one of these violations. */
export interface NoticedByVerify {
  seed: number;
  seconds: number;
  /** Only faults of these kinds, such as `kill-worker`. */
  kinds?: readonly string[];
  breaches: readonly Breach[];
}

/** A fault that is built into a copy of the tree, and who must notice it. */
export interface DeliberateFault {
  name: string;
  stage: Stage;
  /** The invariant that it breaks. */
  invariant?: string;
  edits: readonly Edit[];
  /** A run of the fault suite, or test files of which at least one must fail. */
  noticedBy: NoticedByVerify | { tests: readonly string[] };
}
