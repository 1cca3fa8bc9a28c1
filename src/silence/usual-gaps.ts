import type { ZoneTime } from './zone-time';

export const WEEK_MINUTES = 10_080;
/** Days of which a history is looked at. A gap that began before is not known. */
export const HISTORY_DAYS = 56;
/** A minute of the week is judged if it is known of so many weeks. */
const LEAST_WEEKS = 3;
/** The gaps within so many minutes before and after a time of the week: of its hour, and of more if these are too few. */
const REACHES = [30, 60, 120, 180];
const LONGEST_REACH = 180;
/** Where a quiet time begins or ends, it does so within about so many minutes before and after, in all weeks. */
const EDGE_MINUTES = 30;
/** So close to a quiet time is part of it: nobody closes to the minute. */
const GUARD_MINUTES = 10;
const ENOUGH_GAPS = 300;
const MANY_GAPS = 50;
/** With fewer, they say nothing of what is usual: then it is what is usual in the whole week. */
const LEAST_GAPS = 15;

/** What is known of a producer. Minutes are since 1970, of UTC. */
export interface History {
  /** The minutes in which something came, in order. */
  heard: readonly number[];
  /** True if somebody looked during all of the time between two minutes. */
  isKnown: (from: number, to: number) => boolean;
}

/** What gaps a producer usually leaves, by the minute of the week in its time zone. All in minutes. */
export class UsualGaps {
  private readonly longest = new Uint32Array(WEEK_MINUTES);
  private readonly second = new Uint32Array(WEEK_MINUTES);
  private readonly weeks = new Uint8Array(WEEK_MINUTES);
  /** The lengths of the gaps that begin in a minute of the week, as far as they are short enough for a reach. */
  private readonly beginning = new Map<number, number[]>();
  private readonly ofWeek: number;
  private readonly usual: Float64Array;

  constructor(
    { heard, isKnown }: History,
    readonly zone: ZoneTime,
  ) {
    const lengths: number[] = [];
    for (const [i, from] of heard.entries()) {
      const to = heard[i + 1];
      if (to === undefined || !isKnown(from, to)) continue;
      lengths.push(to - from);
      this.add(to - from, zone.local(from), zone.local(to));
    }
    this.ofWeek = percentile99(lengths);
    const nearby = widened(this.second, EDGE_MINUTES);
    const around = nearby.map((second, minute) =>
      (this.weeks[minute] as number) < LEAST_WEEKS ? Infinity : Math.min(second, this.longest[minute] as number),
    );
    this.usual = widened(around, GUARD_MINUTES);
  }

  /**
   * The longest gap around this time of the week, unless only one week had such a gap hereabouts: that may have been an
   * outage or a holiday. Infinity if too few weeks are known.
   */
  around(minuteOfWeek: number): number {
    return this.usual[minuteOfWeek] as number;
  }

  /** The 99th percentile of the gaps within the hour around this time of the week, or within a few hours. */
  ofHour(minuteOfWeek: number): number {
    for (const reach of REACHES) {
      const gaps = this.within(minuteOfWeek, reach);
      if (gaps.length >= ENOUGH_GAPS) return percentile99(gaps);
      if (reach === LONGEST_REACH && gaps.length >= LEAST_GAPS) return percentile99(gaps);
    }
    return this.ofWeek;
  }

  private within(minuteOfWeek: number, reach: number): number[] {
    const found: number[] = [];
    for (let before = -reach; before < reach; before++) {
      const begins = (minuteOfWeek + before + WEEK_MINUTES) % WEEK_MINUTES;
      for (const length of this.beginning.get(begins) ?? []) if (before + length <= reach) found.push(length);
    }
    return found;
  }

  /** A gap of more than a week counts once in each minute of the week. */
  private add(length: number, localFrom: number, localTo: number): void {
    if (length <= 2 * LONGEST_REACH) {
      const begins = localFrom % WEEK_MINUTES;
      const others = this.beginning.get(begins);
      if (others) others.push(length);
      else this.beginning.set(begins, [length]);
    }
    for (let local = localFrom; local < Math.min(localTo, localFrom + WEEK_MINUTES); local++) {
      const minute = local % WEEK_MINUTES;
      if (length > (this.longest[minute] as number)) {
        this.second[minute] = this.longest[minute] as number;
        this.longest[minute] = length;
      } else if (length > (this.second[minute] as number)) {
        this.second[minute] = length;
      }
      (this.weeks[minute] as number)++;
    }
  }
}

/** The largest of the values within a reach of each minute of the week. */
function widened(values: Uint32Array | Float64Array, reach: number): Float64Array {
  const largest = new Float64Array(WEEK_MINUTES);
  for (let minute = 0; minute < WEEK_MINUTES; minute++) {
    for (let near = minute - reach; near <= minute + reach; near++) {
      const value = values[near < 0 ? near + WEEK_MINUTES : near % WEEK_MINUTES] as number;
      if (value > (largest[minute] as number)) largest[minute] = value;
    }
  }
  return largest;
}

/**
 * The 99th percentile of lengths: a bound that it keeps to with a probability of 95 %, since some hundred gaps say only
 * roughly where it is. The longest of many gaps is always left out.
 */
function percentile99(lengths: readonly number[]): number {
  const beyond = lengths.length / 100;
  const leftOut = lengths.length < MANY_GAPS ? 0 : Math.max(1, Math.floor(beyond - 1.65 * Math.sqrt(beyond)) - 1);
  return Uint32Array.from(lengths).toSorted()[lengths.length - 1 - leftOut] ?? Infinity;
}
