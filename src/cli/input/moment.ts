import { timeOfDayMs } from '../../event/time-of-day';
import { usageError } from '../cli-error';

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const AGO = /^(\d{1,6})(s|m|h|d)$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Reads a time: RFC 3339, a date (midnight in UTC), or how long ago, such as `15m`, `2h` or `7d`. */
export function moment(text: string, nowMs = timeOfDayMs()): string {
  const [, amount, unit] = AGO.exec(text) ?? [];
  const ms =
    amount === undefined || unit === undefined ? instantMs(text) : nowMs - Number(amount) * (UNIT_MS[unit] ?? 0);
  if (Number.isNaN(ms)) {
    throw usageError(`"${text}" is no time. Write 2026-11-24T04:08:57Z, 2026-11-24, or how long ago: 15m, 2h, 7d.`);
  }
  return new Date(ms).toISOString();
}

const instantMs = (text: string): number => (INSTANT.test(text) ? Date.parse(text) : Number.NaN);
