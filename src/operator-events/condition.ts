/** What operator events are raised for. */
export const CONDITION_KINDS = [
  'destination.failing',
  'destination.disabled',
  'deadletters.growing',
  'rejections.growing',
  'source.verification-failing',
  'outbox.lagging',
  'quota.reached',
  'source.silent',
  'type.silent',
  'key.expiring',
  'partition.missing',
  'storage.filling',
  'receiver.failing',
] as const;
export type ConditionKind = (typeof CONDITION_KINDS)[number];

export type Figures = Readonly<Record<string, string | number | null>>;

/** What a condition is about. */
export interface About {
  /** Unique among those of a kind. Empty: the installation. */
  subject: string;
  /** Null: no tenant, or several. */
  tenantId: string | null;
  /** What operators call it. */
  name: string | null;
}

/**
 * What was read about one subject. `holds` raises a condition. `between` raises none, and keeps one that is raised. What is
 * not read at all is fine.
 */
export interface Observation extends About {
  verdict: 'holds' | 'between';
  /** RFC 3339. */
  since: string;
  /** Empty: nothing new was read. */
  figures: Figures;
}

/** What was read of a kind. */
export interface WatchReading {
  observations: readonly Observation[];
  /** The reading has reached its limit: what it does not show may hold all the same, so nothing is cleared by it. */
  isCut: boolean;
}

/** A reading that shows at most `most` subjects. */
export const readingOf = (observations: readonly Observation[], most = Infinity): WatchReading => ({
  observations,
  isCut: observations.length >= most,
});

/** A kind has no more conditions stored. */
export const MOST_CONDITIONS = 20_000;

/** A raised condition, as it is stored. `joined`: the event of MANY stands for it. */
export interface Condition extends About {
  state: 'raised' | 'joined';
  /** UUIDv7. The events that raise and clear a condition have the same. */
  incident: string;
  /** RFC 3339. */
  since: string;
  /** How long it has not held any more, in seconds; null while it holds. */
  clearingSeconds: number | null;
  /** It was raised so often within an hour that it is held until it has been over for long. */
  isFlapping: boolean;
}

/** The subject of the condition that stands for many at once. */
export const MANY = '*';
