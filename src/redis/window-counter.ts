/** The length of a window: limits are per minute. */
export const WINDOW_MS = 60_000;

/** The monotonic clock in whole ms, so that a window is never said to last a fraction longer than it does. */
export const wholeMs = (): number => Math.trunc(performance.now());

/** Nest token of the counter of a tenant's events. */
export const TENANT_COUNTER = Symbol('TenantCounter');
/** Nest token of the counter of a tenant's decompressed bytes. */
export const TENANT_BYTES_COUNTER = Symbol('TenantBytesCounter');
/** Nest token of the counter of admin requests per client address. */
export const ADMIN_COUNTER = Symbol('AdminCounter');

/** What a counter answers when points are taken. */
export interface Taken {
  /** Points taken, at most as many as wanted. */
  granted: number;
  /** The count of the window afterwards. It may be above `upTo`, but not because of this call. */
  used: number;
  /** How long the window still lasts, more than 0. */
  endsInMs: number;
  /** The counter that has counted: the adapter itself, or the one that stands in for it. */
  counter: WindowCounter;
}

/**
 * Counts points per key in windows of a minute. The first point of a key begins its window. Taking points and checking
 * the limit is one step, so that concurrent callers never exceed the limit together.
 */
export abstract class WindowCounter {
  /**
   * Takes as many of the wanted points as keep the count at or below `upTo`. Never rejects. With `wanted` 0 it only
   * reads the count.
   */
  abstract take(key: string, wanted: number, upTo: number): Promise<Taken>;

  /**
   * Returns points that were taken and not used. Does nothing if their window has ended. Never throws.
   * @param endsInMs how long the window of these points still lasts
   */
  abstract giveBack(key: string, points: number, endsInMs: number): void;
}
