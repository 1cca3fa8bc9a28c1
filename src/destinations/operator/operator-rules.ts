import { activeUntil, type ActiveHours } from '../../silence/active-hours';
import { isTimeZone } from '../../silence/zone-time';
import { isAsGraveAs, severityOf, type Severity } from './severity';

/** What a destination of operator events wants to get, and when. */
export interface OperatorRules {
  /** Null: everything. */
  minSeverity: Severity | null;
  /** When only what is critical is sent. Null: never. */
  quietHours: ActiveHours | null;
}

const MINUTE_MS = 60_000;
/** After quiet hours, what clears a condition is due so much later than what raised it. */
export const CLEARS_LATER_MS = 10_000;

/** Whether a destination gets events of a type at all. */
export const isGraveEnough = ({ minSeverity }: Pick<OperatorRules, 'minSeverity'>, type: string): boolean =>
  minSeverity === null || isAsGraveAs(severityOf(type), minSeverity);

/**
 * Decides until when an operator event is held: until the end of quiet hours, unless it is critical.
 * @param event the normalised event as JSON
 * @param now ms since 1970; not asked for most events
 * @returns ms since 1970, or undefined to send it now
 */
export function quietUntilMs(
  { quietHours }: Pick<OperatorRules, 'quietHours'>,
  { type, body }: { type: string; body: Buffer },
  now: () => number,
): number | undefined {
  if (quietHours === null || severityOf(type) === 'critical') return undefined;
  if (!isTimeZone(quietHours.timeZone)) return undefined; // this machine knows other zones than the one that stored it
  const minute = Math.floor(now() / MINUTE_MS);
  const until = activeUntil(quietHours, minute);
  if (until === undefined || until === minute) return undefined;
  return until * MINUTE_MS + (clears(body) ? CLEARS_LATER_MS : 0);
}

function clears(body: Buffer): boolean {
  const { payload } = JSON.parse(body.toString('utf8')) as { payload?: { state?: unknown } | null };
  return payload?.state === 'cleared';
}
