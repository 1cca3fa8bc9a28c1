import { nameOf, type ResourceKind, type Resource, type Wanted } from './document';

/** The fields of each kind that a file can set, in the order of the file. */
const FIELDS: Record<ResourceKind, readonly string[]> = {
  tenants: ['id', 'name', 'status', 'eventsPerMinute', 'bytesPerMinute', 'weight', 'redact', 'metadata'],
  sources: [
    ...['uid', 'tenantId', 'name', 'provider', 'status', 'verification', 'mapping', 'answers', 'accept', 'handshake'],
    ...['allowUnverified', 'expectEverySeconds', 'activeHours', 'learnSilence'],
  ],
  destinations: [
    ...[
      'uid',
      'tenantId',
      'url',
      'eventTypes',
      'enabled',
      'description',
      'filter',
      'transform',
      'format',
      'headers',
      'auth',
    ],
    ...['retrySchedule', 'ratePerSecond', 'timeoutMs', 'maxInFlight', 'ordering', 'onPoison', 'latestOnly'],
    ...['minSeverity', 'quietHours'],
  ],
};

/** What `export` writes of what there is. Secrets become references to variables that are named after the uid. */
export function exportedOf(current: Wanted): Wanted {
  return {
    tenants: sorted('tenants', current).map((tenant) => fieldsOf('tenants', tenant)),
    sources: sorted('sources', current).map((source) => ({ ...fieldsOf('sources', source), ...secretsOf(source) })),
    destinations: sorted('destinations', current).map((one) =>
      hidden(fieldsOf('destinations', one), variableOf(one, '')),
    ),
  };
}

/** By name, so that two exports of the same are the same text. */
const sorted = (kind: ResourceKind, current: Wanted): Resource[] =>
  current[kind].toSorted((a, b) => (nameOf(kind, a) < nameOf(kind, b) ? -1 : 1));

/** All of them, also those that nobody has set: `apply` compares only what the file has. */
function fieldsOf(kind: ResourceKind, resource: Resource): Resource {
  return Object.fromEntries(
    FIELDS[kind].filter((name) => resource[name] !== undefined).map((name) => [name, resource[name]]),
  );
}

function secretsOf(source: Resource): Resource {
  const hints = (source.secretHints ?? []) as string[];
  if (hints.length === 0) return {};
  const suffix = (index: number): string => (index === 0 ? 'SECRET' : `SECRET_${index + 1}`);
  return { secrets: hints.map((_, index) => ({ env: variableOf(source, suffix(index)) })) };
}

/** Replaces each hint of a secret in headers and auth by a reference. */
function hidden(destination: Resource, prefix: string): Resource {
  const replaced = (value: unknown, place: string): unknown => {
    if (typeof value === 'string' && value.startsWith('…')) return { env: `${prefix}${place}` };
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, replaced(one, `${place}_${wordOf(name)}`)]),
    );
  };
  return Object.fromEntries(
    Object.entries(destination).map(([name, value]) =>
      name === 'headers' || name === 'auth' ? [name, replaced(value, wordOf(name))] : [name, value],
    ),
  );
}

const variableOf = ({ tenantId, uid }: Resource, what: string): string =>
  `${wordOf(String(tenantId))}_${wordOf(String(uid))}_${what}`;

const wordOf = (text: string): string => text.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
