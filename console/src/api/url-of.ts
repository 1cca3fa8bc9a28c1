type QueryValue = string | number | boolean | readonly string[] | undefined;

/** Returns the URL of an endpoint: `/v1/admin/events/{id}/timeline` with its values, and the query without empty ones. */
export function urlOf(
  path: string,
  values: Readonly<Record<string, string>> = {},
  query: Readonly<Record<string, QueryValue>> = {},
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(valueOf(values, name, path)));
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === '') continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value])
      parameters.append(name, String(one));
  }
  const text = parameters.toString();
  return text === '' ? filled : `${filled}?${text}`;
}

function valueOf(values: Readonly<Record<string, string>>, name: string, path: string): string {
  const value = values[name];
  if (value === undefined) throw new Error(`${path} has no value for ${name}`);
  return value;
}
