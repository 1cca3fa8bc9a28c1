import { exactValue } from '../../event/json/exact-value';
import { parsePointer } from '../../expressions/pointer';

/** What a role that may not see a value gets in its place. */
export const REDACTED = '[redacted]';

/**
 * Returns the JSON text of a payload with the values at these pointers replaced. A pointer that leads nowhere changes
 * nothing. Of repeated names only the last is in the result. Numbers stay as they were sent.
 */
export function redacted(payloadJson: string, pointers: readonly string[]): string {
  if (pointers.length === 0) return payloadJson;
  if (pointers.includes('')) return JSON.stringify(REDACTED);
  const payload = exactValue(payloadJson);
  for (const pointer of pointers) redactAt(payload, pointer);
  return JSON.stringify(payload);
}

function redactAt(payload: unknown, pointer: string): void {
  const parsed = parsePointer(pointer);
  if (!('segments' in parsed)) return;
  const last = parsed.segments.at(-1) as string;
  let holder = payload;
  for (const segment of parsed.segments.slice(0, -1)) {
    if (!hasMember(holder, segment)) return;
    holder = holder[segment];
  }
  if (hasMember(holder, last)) holder[last] = REDACTED;
}

const INDEX = /^(?:0|[1-9]\d*)$/;

/** Frozen objects are numbers that exactValue keeps as text. */
function hasMember(value: unknown, name: string): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return false;
  return Object.hasOwn(value, name) && (!Array.isArray(value) || INDEX.test(name));
}
