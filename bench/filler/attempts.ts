import { connect, type Socket } from 'node:net';
import { FORMATS, type BodyFormat } from '#bench/filler/bodies';
import { ENCODERS } from '#bench/filler/reading';

/** Somewhere to send filler, and how. */
interface Way {
  name: string;
  /** Kind of filler → its bytes before they are encoded. */
  fillers: Readonly<Record<string, (bytes: number) => Buffer>>;
  path: (sourcePath: string) => string;
  headers: Readonly<Record<string, string>>;
}

/** What one hostile client does. */
export interface Attempt {
  /** As printed. */
  name: string;
  /** Requests of one connection, as bytes: they are sent at once. */
  bytes: Buffer;
  requests: number;
  connections: number;
  /** Whether the client reads its responses. */
  reads: boolean;
}

const formatOf = (name: string): BodyFormat => FORMATS.find((format) => format.name === name) as BodyFormat;
const ndjson = formatOf('NDJSON');
const array = formatOf('JSON array');
const xml = formatOf('XML');
/** One event that is far too large. */
const inEvent =
  (unit: string) =>
  (bytes: number): Buffer =>
    Buffer.concat([Buffer.from('{"payload":"'), Buffer.alloc(bytes, unit), Buffer.from('"}')]);
const EVENT_FILLERS = { letters: inEvent('x'), spaces: inEvent(' '), escapes: inEvent('\\n') };

const STREAM = '/v1/ingest/stream';
const LINES = 'application/x-ndjson';

const WAYS: readonly Way[] = [
  { name: 'NDJSON stream', ...to(STREAM, ndjson.mediaType), fillers: ndjson.fillers },
  {
    name: 'NDJSON stream, lines',
    ...to(STREAM, ndjson.mediaType, LINES),
    fillers: { ...ndjson.fillers, ...ndjson.refused },
  },
  { name: 'XML stream', ...to(STREAM, xml.mediaType), fillers: xml.fillers },
  { name: 'XML stream, lines', ...to(STREAM, xml.mediaType, LINES), fillers: { ...xml.fillers, ...xml.refused } },
  { name: 'batch of events', ...to('/v1/events', array.mediaType), fillers: array.fillers },
  { name: 'array of events', ...to('/v1/events', 'application/json'), fillers: array.fillers },
  { name: 'one event', ...to('/v1/events', 'application/json'), fillers: EVENT_FILLERS },
  { name: 'one CloudEvent', ...to('/v1/events', 'application/cloudevents+json'), fillers: EVENT_FILLERS },
  {
    name: 'source',
    path: (sourcePath) => sourcePath,
    headers: { 'Content-Type': 'application/json' },
    fillers: { ...array.fillers, ...EVENT_FILLERS },
  },
];

function to(path: string, mediaType: string, accept?: string): Pick<Way, 'path' | 'headers'> {
  const headers = { 'X-Tenant-Id': 'hostile', 'Content-Type': mediaType, ...(accept ? { Accept: accept } : {}) };
  return { path: () => path, headers };
}

/** Large responses to small requests. */
const READS = ['/docs-json', '/v1/events/unknown', '/metrics', '/health'];

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Chooses filler, encoding, endpoint, and whether the responses are read. One attempt in six only asks. */
export function chooseAttempt(random: () => number, sourcePath: string, mostBytes: number): Attempt {
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const reads = random() < 0.5;
  const connections = 1 + Math.floor(random() * 8);
  const reading = reads ? 'read' : 'unread';
  if (random() < 1 / 6) {
    const path = one(READS);
    const requests = 1 + Math.floor(random() * 400);
    const bytes = Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: hostile\r\n\r\n`.repeat(requests),
    );
    return { name: `GET ${path}, ${reading}`, bytes, requests, connections, reads };
  }
  const way = one(WAYS);
  const filler = one(Object.keys(way.fillers));
  const encoding = one(Object.keys(ENCODERS));
  const size = encoding === 'none' ? mostBytes / 16 : Math.ceil(random() * mostBytes);
  const encode = ENCODERS[encoding] as (body: Buffer) => Buffer;
  const body = encode((way.fillers[filler] as (bytes: number) => Buffer)(size));
  const headers = Object.entries({
    Host: 'localhost',
    ...way.headers,
    ...(encoding === 'none' ? {} : { 'Content-Encoding': encoding }),
    'Content-Length': String(body.length),
  });
  const head = `POST ${way.path(sourcePath)} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const requests = body.length < 64_000 ? 1 + Math.floor(random() * 4) : 1;
  const bytes = Buffer.concat(Array.from({ length: requests }, () => [Buffer.from(head), body]).flat());
  return { name: `${way.name}, ${filler}, ${encoding}, ${reading}`, bytes, requests, connections, reads };
}

/** Opens the connections and sends everything at once. */
export function attempt({ bytes, connections, reads }: Attempt, url: string): Socket[] {
  const { hostname, port } = new URL(url);
  return Array.from({ length: connections }, () => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('error', () => undefined); // the server may close the connection of a body that it refuses
    if (reads) socket.resume();
    return socket;
  });
}
