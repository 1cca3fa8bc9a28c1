/** Limits the time for a record that was refused: it is parsed a second time. */
const MAX_PARSED_BYTES = 65_536;
const MAX_TYPE_LENGTH = 255;

/** Returns the type that a refused record names; null where it is not readable. */
export function readableType(json: Buffer): string | null {
  if (json.length > MAX_PARSED_BYTES) return null;
  let value: unknown;
  try {
    value = JSON.parse(json.toString());
  } catch {
    return null; // this is why it was refused
  }
  if (typeof value !== 'object' || value === null) return null;
  const { eventType, type } = value as { eventType?: unknown; type?: unknown };
  return [eventType, type].find((name) => isType(name)) ?? null;
}

const isType = (name: unknown): name is string =>
  typeof name === 'string' && name.length > 0 && name.length <= MAX_TYPE_LENGTH;
