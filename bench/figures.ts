import { request } from '#bench/client';
import {
  eventJson,
  NDJSON,
  ndjsonBody,
  ndjsonWithRejected,
  REJECTED_EVERY,
  XML,
  xmlBody,
  type EventSource,
} from '#bench/events';
import { forSeconds } from '#bench/load';
import { measureLoad, type Measurement } from '#bench/measurement';
import type { Group } from '#bench/options';
import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import type { Sides } from '#bench/sides';

export interface Round {
  sides: Sides;
  seconds: number;
  source: EventSource;
  /** Requests with new events sent in this round. The loads with duplicates repeat them. */
  sent: { post: number; ndjson: number };
}

export interface Figure {
  name: string;
  /** The groups that include this figure: its own, and those that need it for a ratio. */
  groups: readonly Group[];
  measure: (round: Round) => Promise<Measurement>;
}

const POST_CONNECTIONS = 100;
const STREAM_CONNECTIONS = 20;
export const LINES = 200;
/** More than a core can write; a higher number would only cost memory. */
const LOOP_EVENTS_PER_SECOND = 40_000;

/** In the order of a round. Figures of a ratio are close together, and duplicates follow the events that they repeat. */
export const FIGURES: readonly Figure[] = [
  { name: 'post, no write', groups: ['single'], measure: (round) => posts(round, round.sides.noWrite) },
  { name: 'post', groups: ['single', 'duplicates'], measure: newPosts },
  { name: 'post, tx per request', groups: ['single'], measure: (round) => posts(round, round.sides.txPerRequest) },
  { name: 'post, duplicates', groups: ['duplicates'], measure: (round) => knownPosts(round, round.sides.ours) },
  {
    name: 'post, duplicates uncached',
    groups: ['duplicates'],
    measure: (round) => knownPosts(round, round.sides.oursUncached),
  },
  { name: 'xml', groups: ['xml'], measure: xml },
  { name: 'ndjson', groups: ['stream', 'xml', 'duplicates'], measure: newNdjson },
  { name: 'pg alone', groups: ['stream'], measure: pgAlone },
  { name: 'ndjson, duplicates', groups: ['duplicates'], measure: (round) => sameNdjson(round, round.sides.ours) },
  {
    name: 'ndjson, duplicates uncached',
    groups: ['duplicates'],
    measure: (round) => sameNdjson(round, round.sides.oursUncached),
  },
];

/** The headers that name the tenant. */
export type Caller = { 'X-Tenant-Id': string } | { Authorization: string };
const named = (tenant: string): Caller => ({ 'X-Tenant-Id': tenant });

const postOf = (source: EventSource, n: number, caller = named('post')): string =>
  request('POST /v1/events', { ...caller, 'Content-Type': 'application/json' }, eventJson(source, n));

const streamOf = (type: string, caller: Caller, body: string): string =>
  request('POST /v1/ingest/stream', { ...caller, 'Content-Type': type }, body);

export const ndjsonOf = (source: EventSource, n: number, caller = named('ndjson')): string =>
  streamOf(NDJSON, caller, ndjsonBody(source, n * LINES, LINES));

/** The events of `ndjson`, sent for another tenant. */
const xmlOf = (source: EventSource, n: number): string =>
  streamOf(XML, named('xml'), xmlBody(source, n * LINES, LINES));

/** New events, one per request. */
export async function posts(
  { source, seconds }: Pick<Round, 'source' | 'seconds'>,
  server: ServerProcess,
  caller?: Caller,
): Promise<Measurement> {
  const load = { connections: POST_CONNECTIONS, next: forSeconds(seconds, (n) => postOf(source, n, caller)) };
  return measureLoad(server, load, { eventsPerRequest: 1, status: 202, text: '"duplicate":false' });
}

async function newPosts(round: Round): Promise<Measurement> {
  const measured = await posts(round, round.sides.ours);
  round.sent.post = measured.requests;
  return measured;
}

const knownPosts = (round: Round, server: ServerProcess): Promise<Measurement> =>
  samePosts({ ...round, sent: round.sent.post }, server);

/** Events that were sent before, the first `sent` of the source, again and again. */
export async function samePosts(
  { source, seconds, sent }: Pick<Round, 'source' | 'seconds'> & { sent: number },
  server: ServerProcess,
): Promise<Measurement> {
  const next = forSeconds(seconds, (n) => postOf(source, n % sent));
  const load = { connections: POST_CONNECTIONS, next };
  return measureLoad(server, load, { eventsPerRequest: 1, status: 200, text: '"duplicate":true' });
}

/** Sends streams of `LINES` events until `next` has no more. All events must be counted as `counted`. */
export async function streams(
  server: ServerProcess,
  next: () => string | undefined,
  counted: 'accepted' | 'duplicates',
): Promise<Measurement> {
  const load = { connections: STREAM_CONNECTIONS, next };
  return measureLoad(server, load, { eventsPerRequest: LINES, status: 202, text: `"${counted}":${LINES},` });
}

/** Sends streams of `LINES` records, of which one in ten is rejected. */
export async function rejectingStreams(
  { source, seconds }: Pick<Round, 'source' | 'seconds'>,
  server: ServerProcess,
): Promise<Measurement> {
  const body = (n: number): string => ndjsonWithRejected(source, n * LINES, LINES);
  const next = forSeconds(seconds, (n) => streamOf(NDJSON, named('ndjson'), body(n)));
  const rejected = LINES / REJECTED_EVERY;
  const text = `"accepted":${LINES - rejected},"duplicates":0,"rejected":${rejected},`;
  return measureLoad(server, { connections: STREAM_CONNECTIONS, next }, { eventsPerRequest: LINES, status: 207, text });
}

async function newNdjson({ sides, source, seconds, sent }: Round): Promise<Measurement> {
  const measured = await streams(
    sides.ours,
    forSeconds(seconds, (n) => ndjsonOf(source, n)),
    'accepted',
  );
  sent.ndjson = measured.requests;
  return measured;
}

async function sameNdjson({ source, seconds, sent }: Round, server: ServerProcess): Promise<Measurement> {
  return streams(
    server,
    forSeconds(seconds, (n) => ndjsonOf(source, n % sent.ndjson)),
    'duplicates',
  );
}

async function xml({ sides, source, seconds }: Round): Promise<Measurement> {
  return streams(
    sides.ours,
    forSeconds(seconds, (n) => xmlOf(source, n)),
    'accepted',
  );
}

async function pgAlone({ sides, source, seconds }: Round): Promise<Measurement> {
  const { pgLoop } = sides;
  await pgLoop.prepare(source, Math.ceil(seconds * LOOP_EVENTS_PER_SECOND));
  const cpuBefore = cpuMicroseconds(pgLoop.pid);
  const report = await pgLoop.write(seconds);
  const cpuAfter = cpuMicroseconds(pgLoop.pid);
  const cpuUs = cpuBefore === undefined || cpuAfter === undefined ? null : (cpuAfter - cpuBefore) / report.events;
  const { events, p50Ms, p99Ms, batches } = report;
  return { events, perSecond: events / report.seconds, p50Ms, p99Ms, cpuUs, requests: batches };
}
