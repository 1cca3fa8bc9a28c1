declare global {
  interface JSON {
    /** Makes a value that JSON.stringify writes as this text. */
    rawJSON: (text: string) => object;
  }
}

/** Parses JSON into a value whose numbers JSON.stringify writes as they were sent. For responses, not for computing. */
export function exactValue(text: string): unknown {
  return JSON.parse(text, keepNumber);
}

function keepNumber(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined) return value;
  return String(value) === source ? value : JSON.rawJSON(source);
}
