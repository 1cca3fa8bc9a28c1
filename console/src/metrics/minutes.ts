import type { Schema } from '../api/endpoints';
import { linesOf, type Lines, type Sample } from './samples';

type Minute = Schema<'DestinationHistoryResponse'>['minutes'][number];

const MINUTE_MS = 60_000;
const MINUTES = 60;

/** Half within, and 95% within, in ms, minute by minute of the last hour. A minute without successful attempts has a gap. */
export function durationLines(minutes: readonly Minute[], nowMs: number): Lines {
  const samplesOf = (value: (minute: Minute) => number | null): Sample[] =>
    minutes.flatMap((minute) => {
      const ms = value(minute);
      return ms === null ? [] : [sampleOf(Date.parse(minute.at), ms)];
    });
  return linesOf([samplesOf(({ p50Ms }) => p50Ms), samplesOf(({ p95Ms }) => p95Ms)], lastHour(nowMs));
}

/** How many attempts succeeded and failed, minute by minute of the last hour. */
export function attemptLines(minutes: readonly Minute[], nowMs: number): Lines {
  const byMs = new Map(minutes.map((minute) => [Date.parse(minute.at), minute]));
  const counts = (value: (minute: Minute) => number): Sample[] =>
    lastHour(nowMs).map(({ atMs }) => {
      const minute = byMs.get(atMs);
      return sampleOf(atMs, minute ? value(minute) : 0);
    });
  return linesOf([counts(({ delivered }) => delivered), counts(({ failed }) => failed)]);
}

/** The minutes of the last hour, of which the newest still grows. */
function lastHour(nowMs: number): Sample[] {
  const newest = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  return Array.from({ length: MINUTES }, (_, i) => sampleOf(newest - (MINUTES - 1 - i) * MINUTE_MS, 0));
}

const sampleOf = (atMs: number, value: number): Sample => ({ atMs, value, seconds: MINUTE_MS / 1_000 });
