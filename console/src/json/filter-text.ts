const MOST_TEXT = 60;

/** `tenantId acme, status DLQ, 3 eventIds`: what an action was asked for, on one line. What is empty is left out. */
export function filterText(filter: Readonly<Record<string, unknown>>): string {
  const said = Object.entries(filter)
    .filter(([, value]) => value !== null && !['[]', '{}'].includes(JSON.stringify(value)))
    .map(([name, value]) =>
      Array.isArray(value) && value.length > 1 ? `${value.length} ${name}` : `${name} ${shortText(value)}`,
    );
  return said.join(', ');
}

function shortText(value: unknown): string {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  const text = typeof one === 'string' ? one : JSON.stringify(one);
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
}

/** The texts of a member that is a list, such as `eventIds`. */
export function textsIn(filter: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = filter[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
