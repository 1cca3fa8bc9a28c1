import { gzipSync } from 'node:zlib';
import type { Exchange } from '../exchange';
import {
  isLater,
  nameOf,
  type PlannedRecord,
  type Reading,
  type Sending,
  type SummaryCounts,
  type Told,
} from '../sending';

export interface PlannedStream {
  tenant: string;
  format: 'ndjson' | 'xml';
  records: readonly PlannedRecord[];
  key: string | undefined;
  lineByLine: boolean;
  gzip: boolean;
  /** The XML ends inside an element. It is malformed, but the records before that are valid. */
  cutShort: boolean;
}

const LINES = 'application/x-ndjson';
/** A summary lists at most this many errors. */
const MOST_ERRORS = 100;

export function streamOf(stream: PlannedStream): Sending {
  const { tenant, format, key, lineByLine, gzip } = stream;
  const text = textOf(stream);
  return {
    kind: ['stream', format, lineByLine ? 'by lines' : '', stream.cutShort ? 'cut short' : '']
      .filter(Boolean)
      .join(' '),
    path: '/v1/ingest/stream',
    headers: {
      'content-type': format === 'xml' ? 'application/xml' : LINES,
      'x-tenant-id': tenant,
      ...(key === undefined ? {} : { 'x-idempotency-key': key }),
      ...(lineByLine ? { accept: LINES } : {}),
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    },
    body: gzip ? gzipSync(text) : text,
    records: stream.records,
    read: (answer) => (lineByLine ? readLines(answer, stream) : readSummary(answer, stream)),
    ...(lineByLine ? { readPartly: (sofar: string) => linesTold(sofar, stream.records) } : {}),
  };
}

function textOf({ format, records, cutShort }: PlannedStream): string {
  const texts = records.map((record) => ('event' in record ? record.event.text : record.broken.text));
  if (format === 'ndjson') return texts.map((text) => `${text}\n`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?><events>${texts.join('\n')}${cutShort ? '<event><eventType>' : '</events>'}`;
}

/** Reads the summary of a stream. If the stream broke off, it says which records are committed. */
function readSummary({ status = 0, text }: Exchange, { records, cutShort }: PlannedStream): Reading {
  const answer = JSON.parse(text) as {
    code?: string;
    status: string | number;
    summary?: SummaryCounts;
    lastCommittedRecord?: number;
    errors?: { record: number; code: string; kept?: boolean }[];
  };
  const { summary, lastCommittedRecord, errors = [] } = answer;
  const counts = { ...(summary && { summary }), ...(lastCommittedRecord !== undefined && { lastCommittedRecord }) };
  if (isLater(status) || (cutShort && status === 400 && answer.code === 'malformed-body')) {
    const committed = records.slice(0, lastCommittedRecord ?? 0);
    // This response lists no errors, so it says nothing about broken records.
    const told = committed.flatMap((record, i) => ('event' in record ? [taken(record, i)] : []));
    return { next: isLater(status) ? 'again' : 'done', told, ...counts };
  }
  const expectedStatus = summary && statusOf(summary);
  if (!summary || expectedStatus?.[0] !== status || expectedStatus[1] !== answer.status || cutShort) {
    return { next: 'strange', told: [] };
  }
  const rejected = new Map(errors.map((error) => [error.record, error]));
  const listed = summary.rejected <= MOST_ERRORS ? records : [];
  const told = listed.map((record, i): Told => {
    const error = rejected.get(i + 1);
    if (!error) return taken(record, i);
    const { code, kept } = error;
    return { record: i + 1, name: nameOf(record), outcome: 'rejected', code, kept };
  });
  return { next: summary.records === records.length ? 'done' : 'strange', told, ...counts };
}

function statusOf({ records, rejected }: SummaryCounts): [number, string] {
  if (rejected === 0) return [202, 'accepted'];
  return rejected < records ? [207, 'partial'] : [422, 'rejected'];
}

const taken = (record: PlannedRecord, i: number): Told => ({ record: i + 1, name: nameOf(record), outcome: 'taken' });

function readLines({ status = 0, text }: Exchange, { records, cutShort }: PlannedStream): Reading {
  if (isLater(status)) return { next: 'again', told: [] };
  if (status !== 200) return { next: 'strange', told: [] };
  const told = linesTold(text, records);
  const inOrder = told.every(({ record }, i) => record === i + 1);
  const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '{}') as {
    status?: number;
    code?: string;
    summary?: SummaryCounts;
    lastCommittedRecord?: number;
  };
  const { summary, lastCommittedRecord } = last;
  const counts = { ...(summary && { summary }), ...(lastCommittedRecord !== undefined && { lastCommittedRecord }) };
  if (!inOrder || !summary) return { next: 'strange', told, ...counts };
  if (last.status !== undefined && isLater(last.status)) return { next: 'again', told, ...counts };
  const asCut = cutShort && last.code === 'malformed-body';
  const complete = !cutShort && last.status === undefined && told.length === records.length;
  return { next: asCut || complete ? 'done' : 'strange', told, ...counts };
}

/** Ignores the text after the last newline: it may be an incomplete line. */
function linesTold(text: string, records: readonly PlannedRecord[]): Told[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line): Told[] => {
    const { record, status, code, kept, ...fields } = JSON.parse(line) as {
      record?: number;
      status: Told['outcome'];
      code?: string;
      kept?: boolean;
      id?: string;
      eventId?: string;
    };
    const sent = record === undefined ? undefined : records[record - 1];
    if (record === undefined || !sent) return [];
    const name = nameOf(sent);
    if (status === 'rejected') return [{ record, name, outcome: status, code: code ?? '', kept }];
    return [{ record, name, outcome: status, fields }];
  });
}
