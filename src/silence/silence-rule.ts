import type { ActiveHours } from './active-hours';

/** What is expected of a source, or of the events of a type. */
export interface SilenceRule {
  /** Something comes at least this often, in seconds of active hours. Null: nothing is expected. */
  expectEverySeconds: number | null;
  /** Null: always. */
  activeHours: ActiveHours | null;
  /** What is usual is learned, and a silence that is unusual is told. */
  learnSilence: boolean;
}

/** A source or a type of which something is expected, and when something last came. Times are in ms since 1970. */
export interface Producer extends SilenceRule {
  /** The id of a source, or a tenant, `/` and a type. */
  subject: string;
  tenantId: string;
  name: string;
  /** When something last came. Null: nothing is known. */
  heardMs: number | null;
  /** When the rule was changed. */
  changedMs: number;
  /** When the rule or the tenant was changed, or PostgreSQL lost what it knew: a silence begins there at the earliest. */
  beganMs: number;
  /** Up to when everything that came is known. */
  nowMs: number;
}

/** Sources, and types, that are watched. */
export const MOST_PRODUCERS = 10_000;
/** Sources, and types, of which it is learned what is usual: those beyond are refused. */
export const MOST_LEARNING = 1_000;

export const subjectOfType = (tenantId: string, type: string): string => `${tenantId}/${type}`;
