import { randomFillSync } from 'node:crypto';
import { timeOfDayMs } from './time-of-day';

/**
 * Generates UUIDv7s (RFC 9562) that strictly increase within a process, so that later ids sort later and index pages
 * fill from the right. Node's own randomUUIDv7 is not monotonic. The 12 bits after the version count ids within a
 * millisecond (section 6.2, method 1); when they overflow, the timestamp is advanced by one millisecond. Only after a clock
 * was wrong by more than ten seconds, ids go back with it: they would otherwise be those of the future for as long.
 */
const pool = Buffer.alloc(8 * 512);
let poolOffset = pool.length;
let lastMs = 0;
/** The first two groups of the ids of that millisecond: a busy process makes several. */
let timePart = '';
let counter = 0;
/** The digits whose two highest bits are 10. */
const VARIANTS = '89ab';
const MOST_AHEAD_MS = 10_000;

export function uuidV7(now: number = timeOfDayMs()): string {
  if (poolOffset === pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const tail = pool.toString('hex', poolOffset, poolOffset + 8);
  const variant = VARIANTS.charAt(parseInt(tail.charAt(4), 16) & 0x3);
  if (now > lastMs || now < lastMs - MOST_AHEAD_MS) {
    advanceTo(now);
    counter = pool.readUInt16BE(poolOffset) & 0x7ff; // starts in the lower half, which leaves room to count
  } else if (++counter > 0xfff) {
    advanceTo(lastMs + 1);
    counter = 0;
  }
  poolOffset += 8;
  const versionAndCount = (0x7000 | counter).toString(16);
  return `${timePart}-${versionAndCount}-${variant}${tail.slice(5, 8)}-${tail.slice(8)}${tail.slice(0, 4)}`;
}

/** The time in the id that uuidV7 returned last, in ms since 1970. */
export function msOfLastUuidV7(): number {
  return lastMs;
}

function advanceTo(ms: number): void {
  lastMs = ms;
  const time = ms.toString(16).padStart(12, '0');
  timePart = `${time.slice(0, 8)}-${time.slice(8)}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a UUID in lower case with hyphens, as StreamForge writes it. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Converts a UUID of a caller, in any case, to lower case. Returns undefined for any other text. */
export function parseUuid(text: string): string | undefined {
  const uuid = text.toLowerCase();
  return isUuid(uuid) ? uuid : undefined;
}

/** The latest timestamp that a UUIDv7 can hold, in ms since 1970. */
const LAST_MS = 2 ** 48 - 1;

/** Returns a lower bound for the UUIDv7s generated from `moment` (ms since 1970) on. */
export function uuidV7Floor(moment: number): string {
  const time = Math.min(Math.max(moment, 0), LAST_MS).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
