/** Search parameters as people write them: names and texts, where TanStack Router would write JSON. */
export function parseAddress(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

export function writeAddress(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** What the address of a list says about its filters. Every value is text; the api judges it. */
export type Filters<Name extends string> = Partial<Record<Name, string>>;

/** Keeps the filters that the list knows and that are not empty. */
export function readFilters<Name extends string>(
  names: readonly Name[],
  search: Readonly<Record<string, unknown>>,
): Filters<Name> {
  const known = names.flatMap((name): [string, string][] => {
    const value = search[name];
    return typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [];
  });
  return Object.fromEntries(known) as Filters<Name>;
}
