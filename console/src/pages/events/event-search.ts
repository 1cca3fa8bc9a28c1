import { readFilters, type Filters } from '../../address';

const EVENT_FILTERS = [
  'tenantId',
  'status',
  'type',
  'subject',
  'partitionKey',
  'source',
  'sourceId',
  'destinationId',
  'reasonCode',
  'statusClass',
  'group',
  'correlationId',
  'from',
  'to',
] as const;
export type EventFilterName = (typeof EVENT_FILTERS)[number];
export type EventSearch = Filters<EventFilterName>;

export const readEventSearch = (search: Record<string, unknown>): EventSearch => readFilters(EVENT_FILTERS, search);

const WORDS: Record<string, EventFilterName> = {
  tenant: 'tenantId',
  status: 'status',
  type: 'type',
  subject: 'subject',
  key: 'partitionKey',
  source: 'source',
  dest: 'destinationId',
  destination: 'destinationId',
  reason: 'reasonCode',
  class: 'statusClass',
  group: 'group',
  cor: 'correlationId',
  correlation: 'correlationId',
  from: 'from',
  to: 'to',
};
/** `name:value` or `name:"value with spaces"`, else a word. */
const TERM = /(?:(\w+):)?(?:"([^"]*)"|(\S+))/g;

export type Asked =
  { kind: 'event'; id: string } | { kind: 'list'; search: EventSearch } | { kind: 'unclear'; word: string };

/** Reads the search box: an id opens an event, `name:value` filters the list. */
export function readQuery(text: string): Asked {
  const search: EventSearch = {};
  const words: string[] = [];
  for (const [term, name, inQuotes, plain] of text.trim().matchAll(TERM)) {
    const filter = name === undefined ? undefined : WORDS[name.toLowerCase()];
    const value = inQuotes ?? plain ?? '';
    if (filter === undefined) words.push(name === undefined ? value : term);
    else search[filter] = filter === 'status' || filter === 'reasonCode' ? value.toUpperCase() : value;
  }
  const [word, ...more] = words;
  if (word === undefined) return { kind: 'list', search };
  if (more.length > 0 || Object.keys(search).length > 0) return { kind: 'unclear', word };
  return { kind: 'event', id: word };
}

const NAMES: Partial<Record<EventFilterName, string>> = {
  tenantId: 'tenant',
  partitionKey: 'key',
  destinationId: 'dest',
  reasonCode: 'reason',
  statusClass: 'class',
  correlationId: 'cor',
};

/** Writes filters as the search box reads them. `sourceId` has no word. */
export function queryOf(search: EventSearch): string {
  return Object.entries(search)
    .filter(([name]) => name !== 'sourceId')
    .map(([name, value]) => `${NAMES[name as EventFilterName] ?? name}:${/\s/.test(value) ? `"${value}"` : value}`)
    .join(' ');
}
