import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Corpus } from './corpora';
import type { Sending } from './sending';

const CASES = 'cases.jsonl';
const MAX_DECODED_BYTES = 256 * 1024 * 1024;
const DECODERS: Record<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/** What a folder holds for the proof. */
export interface Folder {
  /** Of files `*.ndjson` and `*.xml`. */
  corpora: Corpus[];
  /** Of files `cases.jsonl`, with one request a line, and of files `*.json`, each with a hostile text. */
  hostile: Sending[];
}

/** A line of `cases.jsonl`. `body` is a file beside it. Other members are ignored, and so are cases without a body. */
interface Case {
  id: string;
  method: string;
  path: string;
  headers: [string, string][];
  body?: string;
}

/** Reads the files below a folder. Files beside a `cases.jsonl` are the bodies of its requests. */
export function readFolder(root: string): Folder {
  const paths = globSync('**/*', { cwd: root }).sort();
  const casesIn = paths.filter((path) => basename(path) === CASES).map((path) => dirname(path));
  const others = paths.filter((path) => !casesIn.some((folder) => join(path).startsWith(join(folder, '/'))));
  const read = (path: string): Buffer => readFileSync(join(root, path));
  const ending = (end: string): string[] => others.filter((path) => extname(path) === end);
  return {
    corpora: [
      ...ending('.ndjson').map((path) => jsonCorpus(nameOf(path), read(path).toString())),
      ...ending('.xml').map((path) => xmlCorpus(nameOf(path), read(path).toString())),
    ],
    hostile: [
      ...casesIn.flatMap((folder) => readCases(join(root, folder))),
      ...ending('.json').flatMap((path) => asEvents(path, read(path))),
    ],
  };
}

/** A tenant is named after the file. */
const nameOf = (path: string): string =>
  basename(path, extname(path))
    .replaceAll(/[^a-z0-9]+/gi, '-')
    .slice(0, 40);

function jsonCorpus(name: string, text: string): Corpus {
  const records = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return { name, format: 'json', records };
}

function xmlCorpus(name: string, text: string): Corpus {
  return { name, format: 'xml', records: text.match(/<event[\s>][\s\S]*?<\/event>/g) ?? [] };
}

function readCases(folder: string): Sending[] {
  const lines = readFileSync(join(folder, CASES), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const cases = lines.map((line) => JSON.parse(line) as Case);
  return cases.flatMap(({ id, method, path, headers, body }) =>
    method === 'POST' && path.startsWith('/v1/') && body !== undefined
      ? [withDecoded({ name: id, path, headers: collected(headers), body: readFileSync(join(folder, body)) })]
      : [],
  );
}

function collected(pairs: readonly [string, string][]): Sending['headers'] {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of pairs) {
    const known = headers[name.toLowerCase()];
    headers[name.toLowerCase()] = known === undefined ? value : [known, value].flat();
  }
  return headers;
}

function withDecoded(sending: Sending): Sending {
  const decode = DECODERS[String(sending.headers['content-encoding'])];
  if (!decode) return sending;
  try {
    return { ...sending, decoded: decode(sending.body, { maxOutputLength: MAX_DECODED_BYTES }) };
  } catch {
    return sending; // a body that cannot be decoded is one of the cases
  }
}

/** Sends a text as an event, as its payload, and as a line. */
function asEvents(path: string, text: Buffer): Sending[] {
  const tenant = { 'x-tenant-id': 'hostile-texts' };
  const json = { ...tenant, 'content-type': 'application/json' };
  const payload = Buffer.concat([Buffer.from('{"eventType":"t","subject":"s","payload":'), text, Buffer.from('}')]);
  return [
    { name: `${path} as an event`, path: '/v1/events', headers: json, body: text },
    { name: `${path} as a payload`, path: '/v1/events', headers: json, body: payload },
    {
      name: `${path} as lines`,
      path: '/v1/ingest/stream',
      headers: { ...tenant, 'content-type': 'application/x-ndjson' },
      body: Buffer.concat([payload, Buffer.from('\n'), text]),
    },
  ];
}
