const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `3 ms`, `1.2 s`, `5 min`, `2 h 3 min`, `4 d 1 h`: the two greatest units. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toString()} s`;
  if (ms < HOUR) return two(ms, MINUTE, 'min', SECOND, 's');
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'min');
  return two(ms, DAY, 'd', HOUR, 'h');
}

function two(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** `3 min ago`, `in 5 s` or `now`: where an instant stands to `nowMs`. One unit, since it is read at a glance. */
export function formatAge(instant: string, nowMs: number): string {
  const ms = nowMs - Date.parse(instant);
  const size = oneUnit(Math.abs(ms));
  if (size === undefined) return 'now';
  return ms > 0 ? `${size} ago` : `in ${size}`;
}

function oneUnit(ms: number): string | undefined {
  if (ms < SECOND) return undefined;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** The instant in the time zone of the browser, or in `timeZone`: `2026-11-24 05:08:57.544`. */
export function formatInstant(instant: string, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    ...(timeZone === undefined ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  }).formatToParts(new Date(instant));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? '';
  const day = `${part('year')}-${part('month')}-${part('day')}`;
  return `${day} ${part('hour')}:${part('minute')}:${part('second')}.${part('fractionalSecond')}`;
}

const CLOCK = new Intl.DateTimeFormat('en', {
  hourCycle: 'h23',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** `05:08:57` in the time zone of the browser. */
export const formatClock = (ms: number): string => CLOCK.format(new Date(ms));

/** `2026-11-24`, a UTC day. */
export const formatDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
