import type {
  Evidence,
  RolledUp,
  StoredAttempt,
  StoredDelivery,
  StoredDeliveryAttempt,
  StoredEntry,
  StoredEvent,
} from '../../verify/evidence/evidence';
import type { PlannedEvent } from '../../verify/load/planned-event';
import type { Told } from '../../verify/load/sending';
import { factsOf } from '../../verify/oracle/rolled-up';
import type { Entry, EntryOf } from '../../verify/run/journal';

export const NORTH = 'north-0-0';
export const DELIVERED = 'delivered-2-0';
export const PAYLOAD = '{"amount":10.10}';
const STARTED_MS = Date.parse('2026-11-29T10:00:00.000Z');
const API = 'http://api-0';
const TYPE = 'order.paid';

export const idOf = (name: string): string => `id-of-${name}`;
const tenantOf = (name: string): string => name.split('-')[0] as string;
const requestOf = (name: string): number => (name === NORTH ? 0 : 1);

const HEAD = (name: string, fields: object): object => ({
  id: idOf(name),
  tenantId: tenantOf(name),
  eventId: name,
  type: TYPE,
  subject: name,
  partitionKey: name,
  occurredAt: '2026-01-01T00:00:00.000Z',
  receivedAt: '2026-11-29T10:00:01.000Z',
  source: 'api',
  schemaVersion: '1.0.0',
  specVersion: '1.0',
  hash: 'h',
  correlationId: `request-${requestOf(name)}`,
  ...fields,
});

export function textOf(name: string, fields: object = {}, payload = PAYLOAD): string {
  return `${JSON.stringify(HEAD(name, fields)).slice(0, -1)},"payload":${payload}}`;
}

export function readAs(name: string, fields: object = {}, status = 'COMPLETED', payload = PAYLOAD) {
  return { httpStatus: 200, text: `${textOf(name, fields, payload).slice(0, -1)},"status":"${status}","attempts":[]}` };
}

export function planned(name: string, expected: Partial<PlannedEvent['expected']> = {}): PlannedEvent {
  return {
    name,
    tenant: tenantOf(name) as PlannedEvent['tenant'],
    identity: 'event-id',
    form: 'json',
    contentType: 'application/json',
    text: '{}',
    headers: {},
    expected: {
      eventId: name,
      type: TYPE,
      subject: name,
      partitionKey: name,
      occurredAt: '2026-01-01T00:00:00.000Z',
      source: 'api',
      sourceId: undefined,
      schemaVersion: '1.0.0',
      specVersion: '1.0',
      correlationId: undefined,
      payloadText: PAYLOAD,
      sizeBytes: 100,
      ...expected,
    },
  };
}

export const attempt = (fields: Partial<StoredAttempt> = {}): StoredAttempt => ({
  generation: 1,
  dispatchNo: 1,
  attemptNumber: 1,
  status: 'SUCCESS',
  reasonCode: 'PROCESSED',
  exhausted: false,
  message: null,
  worker: 'host:7',
  atMs: 2_000,
  ...fields,
});

export const outboxEntry = (fields: Partial<StoredEntry> = {}): StoredEntry => ({
  id: '1',
  destination: 'main',
  dispatchNo: 1,
  generation: 1,
  status: 'PUBLISHED',
  createdMs: 1_000,
  closedMs: 1_500,
  ...fields,
});

export const deliveryAttempt = (fields: Partial<StoredDeliveryAttempt> = {}): StoredDeliveryAttempt => ({
  attemptNumber: 1,
  reasonCode: 'PROCESSED',
  statusCode: 204,
  worker: 'host:7',
  atMs: 1_950,
  isFailure: false,
  ...fields,
});

/** Counts the attempts of its log, and those since the last refusal as tries. */
export const deliveryTo = (
  destination: string,
  log: readonly StoredDeliveryAttempt[] = [deliveryAttempt()],
  fields: Partial<StoredDelivery> = {},
): StoredDelivery => ({
  destinationId: destination,
  destination,
  generation: 1,
  isBackfilled: false,
  createdMs: 2_000,
  status: 'DELIVERED',
  attempts: log.length,
  tries: log.length,
  exhausted: false,
  reasonCode: log.at(-1)?.reasonCode ?? null,
  settledMs: log.at(-1)?.atMs ?? 2_000,
  log: [...log],
  ...fields,
});

export const storedAs = (name: string, fields: Partial<StoredEvent> = {}): StoredEvent => ({
  id: idOf(name),
  tenant: tenantOf(name),
  name,
  type: TYPE,
  partitionKey: name,
  position: 1,
  receivedAt: '2026-11-29T10:00:01.000Z',
  sizeBytes: 100,
  correlationId: `request-${requestOf(name)}`,
  sourceId: null,
  rawBody: null,
  status: 'COMPLETED',
  generation: 1,
  attempts: [attempt()],
  entries: [outboxEntry()],
  replays: [],
  effects: [],
  deliveries: tenantOf(name) === 'delivered' ? [deliveryTo('all')] : [],
  deadLetter: undefined,
  erased: undefined,
  ...fields,
});

export const sent = (name: string, fields: Partial<EntryOf<'sent'>> = {}): Entry => ({
  atMs: 900,
  kind: 'sent',
  request: requestOf(name),
  to: API,
  what: 'single json',
  names: [name],
  codes: [null],
  ...fields,
});

export const answered = (name: string, told: Partial<Told> = {}, fields: Partial<EntryOf<'answered'>> = {}): Entry => ({
  atMs: 1_100,
  kind: 'answered',
  request: requestOf(name),
  status: 202,
  told: [{ record: 1, name, outcome: 'accepted', fields: { id: idOf(name) }, ...told }],
  ...fields,
});

export const delivered = (fields: Partial<EntryOf<'delivered'>> = {}): Entry => ({
  atMs: 1_900,
  kind: 'delivered',
  destination: 'all',
  webhookId: idOf(DELIVERED),
  name: DELIVERED,
  body: textOf(DELIVERED),
  status: 204,
  unverifiedBy: [],
  ...fields,
});

export const operator = (fields: Partial<EntryOf<'operator'>> = {}): Entry => ({
  atMs: 3_000,
  kind: 'operator',
  action: 'replay',
  id: 'operator-0',
  sentMs: 2_900,
  request: {},
  status: 202,
  body: { replayId: 'r', matched: 1 },
  text: '',
  ...fields,
});

/** A fault from `fromMs` to `toMs`. */
export const fault = (
  what: EntryOf<'fault'>['what'],
  target: EntryOf<'fault'>['target'],
  fromMs: number,
  toMs: number,
): Entry[] => {
  const one = { kind: 'fault' as const, fault: 0, what, target, text: `${what} ${target}` };
  return [
    { ...one, atMs: fromMs, phase: 'begins' },
    { ...one, atMs: toMs, phase: 'ends' },
  ];
};

const countedPublished = (stored: readonly StoredEvent[]): Entry => ({
  atMs: 60_000,
  kind: 'scraped',
  process: 'publisher-0',
  pid: 99,
  values: { streamforge_outbox_published_total: stored.flatMap(({ entries }) => entries).length },
});

/** The roll-up as it should be, a row for each fact. */
const rolledUpOf = (facts: Pick<Evidence, 'stored' | 'rejections' | 'startedMs'>): RolledUp[] =>
  factsOf(facts).flatMap(({ measure, tenant, keys, latencyMs }) =>
    Object.entries(keys).map(([dimension, key]) => {
      const bucket = latencyMs === undefined ? 0 : Math.ceil(Math.log(Math.max(latencyMs, 1)) / Math.log(1.2));
      return { measure, dimension, tenant, key, bucket, count: 1 };
    }),
  );

/** One event of a tenant without a destination and one that was delivered, both correct. */
export function evidence(change: Partial<Evidence> = {}, more: readonly Entry[] = []): Evidence {
  const names = [NORTH, DELIVERED];
  const stored = change.stored ?? names.map((name) => storedAs(name));
  const rejections = change.rejections ?? [];
  return {
    journal: [
      ...names.map((name) => sent(name)),
      ...names.map((name) => answered(name)),
      delivered(),
      countedPublished(stored),
      ...more,
    ],
    startedMs: STARTED_MS,
    reconciles: true,
    sent: new Map(names.map((name) => [name, planned(name)])),
    readBack: new Map(names.map((name) => [name, readAs(name)])),
    stored,
    rejections,
    rolledUp: rolledUpOf({ stored, rejections, startedMs: STARTED_MS }),
    usage: names.map((name) => ({ tenant: tenantOf(name), day: '2026-11-29', type: TYPE, events: 1, bytes: 100 })),
    replays: [],
    audit: [],
    erasures: [],
    deadLetterCopies: [],
    parkedMessages: [],
    leftovers: { 'open outbox entries': 0 },
    wrongGauges: [],
    ...change,
  };
}

/** Changes the stored event of `north`. */
export const north = (fields: Partial<StoredEvent>): Partial<Evidence> => ({
  stored: [storedAs(NORTH, fields), storedAs(DELIVERED)],
});

export const readNorth = (...as: Parameters<typeof readAs> extends [string, ...infer Rest] ? Rest : never) => ({
  readBack: new Map([
    [NORTH, readAs(NORTH, ...as)],
    [DELIVERED, readAs(DELIVERED)],
  ]),
});
