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
  'shutdown',
  'limits',
] as const;
export type Stage = (typeof STAGES)[number];

/** A run of the fault suite, which has to break one of these promises. */
export interface NoticedByVerify {
  seed: number;
  seconds: number;
  /** Of the kinds of fault these alone, such as `kill-worker`; none for []. */
  kinds?: readonly string[];
  breaches: readonly Breach[];
}

/** Something that is broken on purpose in a copy of the tree, and who has to notice. */
export interface DeliberateFault {
  name: string;
  stage: Stage;
  /** The promise that it breaks; see docs/guarantees.md. */
  invariant?: string;
  edits: readonly Edit[];
  /** A run, or test files, at least one of which has to fail. Those in test/e2e run a build of the changed tree. */
  noticedBy: NoticedByVerify | { tests: readonly string[] };
}
