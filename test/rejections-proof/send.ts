import { request, type ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import type { Outcome, RejectedRecord, Sending } from './sending';

interface Received {
  status: number;
  correlationId: string;
  lines: Line[];
}
interface Counts {
  records: number;
  accepted: number;
  duplicates: number;
}
/** A line of a response, or the whole of it. */
interface Line {
  record?: number;
  status?: string | number;
  code?: string;
  kept?: false;
  duplicate?: boolean;
  summary?: Counts;
  rejectionId?: string;
  errors?: { code: string }[];
}

/**
 * Sends a request and returns what became of it. Undefined for a request that no client can send.
 * @throws Error if the connection breaks without a response
 */
export async function send(url: string, sending: Sending): Promise<Outcome | undefined> {
  const headers: OutgoingHttpHeaders = { accept: 'application/x-ndjson, application/json;q=0.5', ...sending.headers };
  const received = await exchange(`${url}${sending.path}`, headers, sending.body);
  return received && outcomeOf(received);
}

function exchange(url: string, headers: OutgoingHttpHeaders, body: Buffer): Promise<Received | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = begun(url, { 'content-length': body.length, ...headers });
    if (!outgoing) return resolve(undefined);
    let answered = false;
    outgoing.on('response', (incoming) => {
      answered = true;
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      incoming.on('end', () => {
        const isJson = incoming.headers['content-type']?.includes('json') ?? false;
        const texts = isJson
          ? Buffer.concat(chunks)
              .toString()
              .split('\n')
              .filter((text) => text !== '')
          : [];
        const lines = texts.map((text) => JSON.parse(text) as Line);
        const correlationId = String(incoming.headers['x-correlation-id']);
        resolve({ status: incoming.statusCode ?? 0, correlationId, lines });
      });
    });
    // A server that responds early closes the connection. The rest of the request is lost, and that is no failure.
    outgoing.on('error', (error) => (answered ? undefined : reject(error)));
    outgoing.end(body);
  });
}

/** Undefined if a header is not valid. */
function begun(url: string, headers: OutgoingHttpHeaders): ClientRequest | undefined {
  try {
    return request(url, { method: 'POST', headers, agent: false });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function outcomeOf({ status, correlationId, lines }: Received): Outcome {
  const last = lines.at(-1) ?? {};
  const rejected = lines.flatMap(({ record, status: result, code = '', kept }): RejectedRecord[] =>
    result === 'rejected' && record !== undefined ? [{ record, code, kept: kept !== false }] : [],
  );
  const known = { status, correlationId };
  if (last.summary) {
    const { records, accepted, duplicates } = last.summary;
    const brokeOff = typeof last.status === 'number';
    const restIsNotKept = brokeOff && last.kept === false;
    return { ...known, records, accepted, duplicates, rejected, code: brokeOff ? last.code : undefined, restIsNotKept };
  }
  const one = { ...known, records: 1, accepted: 0, duplicates: 0, rejected: [], restIsNotKept: false };
  if (last.rejectionId !== undefined) {
    return { ...one, rejected: [{ record: null, code: last.errors?.[0]?.code ?? '', kept: true }] };
  }
  if (status < 300) return { ...one, accepted: last.duplicate ? 0 : 1, duplicates: last.duplicate ? 1 : 0 };
  const kept = last.kept !== false;
  return { ...one, code: last.code, rejected: [{ record: null, code: last.code ?? '', kept }], restIsNotKept: !kept };
}
