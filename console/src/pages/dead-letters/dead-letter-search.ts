/** What the address of the dead letters may say. */
export const DEAD_LETTER_FILTERS = ['tenantId', 'type', 'reasonCode', 'destinationId', 'from', 'to'] as const;
export type DeadLetterSearch = Partial<Record<(typeof DEAD_LETTER_FILTERS)[number], string>>;

export function readDeadLetterSearch(search: Record<string, unknown>): DeadLetterSearch {
  const known = DEAD_LETTER_FILTERS.flatMap((name): [string, string][] => {
    const value = search[name];
    return typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [];
  });
  return Object.fromEntries(known);
}
