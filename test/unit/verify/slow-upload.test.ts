import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MANNERS, planUpload, type Manner, type PlannedUpload } from '../../verify/load/slow/planned-upload';
import { uploadSlowly, type UploadEnd } from '../../verify/load/slow/slow-upload';
import { UploadResults } from '../../verify/load/slow/upload-results';

const NAMES = ['south-late-1-0', 'south-late-1-1'];
const line = (fields: object): string => `${JSON.stringify(fields)}\n`;
const result = (record: number, status: string, id = `id-${(record - 1) % 2}`): string =>
  line({ record, status, id, eventId: `e${(record - 1) % 2}` });
const summary = (records: number, accepted: number, duplicates: number) => ({
  summary: { records, accepted, duplicates, rejected: 0, bytes: 5 },
});
const RIGHT = [result(1, 'accepted'), result(2, 'duplicate'), result(3, 'duplicate'), result(4, 'duplicate')];

describe('the results of an upload that repeats its events', () => {
  const read = (...texts: string[]): UploadResults => {
    const results = new UploadResults(NAMES, 4);
    for (const text of texts) results.take(text);
    return results;
  };

  it('are complete with a line for each record and a summary that adds up', () => {
    const all = [...RIGHT, line(summary(4, 1, 3))].join('');
    for (const at of [0, 5, all.length - 1]) {
      expect(read(all.slice(0, at), all.slice(at)).verdict).toBe('complete');
    }
  });

  it('tell each event once, and again only if something else is said of it', () => {
    expect(read(...RIGHT).told).toEqual([
      { record: 1, name: NAMES[0], outcome: 'accepted', fields: { id: 'id-0', eventId: 'e0' } },
      { record: 2, name: NAMES[1], outcome: 'duplicate', fields: { id: 'id-1', eventId: 'e1' } },
    ]);
    const { told } = read(RIGHT[0] as string, RIGHT[1] as string, result(3, 'accepted'), result(4, 'duplicate', 'x'));
    expect(told.map(({ outcome, fields }) => `${outcome} ${String(fields?.id)}`)).toEqual([
      'accepted id-0',
      'duplicate id-1',
      'accepted id-0',
      'duplicate x',
    ]);
  });

  it.each<[string, string[], string]>([
    ['without the last line', RIGHT, 'incomplete'],
    ['with a gap', [result(1, 'accepted'), result(3, 'duplicate')], 'strange'],
    ['of too few records', [...RIGHT.slice(0, 3), line(summary(3, 1, 2))], 'strange'],
    ['with a summary of something else', [...RIGHT, line(summary(4, 2, 2))], 'strange'],
    ['with a line after the last', [...RIGHT, line(summary(4, 1, 3)), result(5, 'duplicate')], 'strange'],
    [
      'that broke off',
      [...RIGHT.slice(0, 3), line({ status: 503, lastCommittedRecord: 3, ...summary(3, 1, 2) })],
      'later',
    ],
    [
      'that broke off untruly',
      [...RIGHT.slice(0, 3), line({ status: 503, lastCommittedRecord: 4, ...summary(3, 1, 2) })],
      'strange',
    ],
    [
      'that were lost',
      [...RIGHT.slice(0, 3), line({ status: 500, lastCommittedRecord: 3, ...summary(3, 1, 2) })],
      'strange',
    ],
  ])('%s are seen', (_, texts, verdict) => {
    expect(read(...texts).verdict).toBe(verdict);
  });
});

describe('an upload that is read slowly', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const upload = (manner: Manner): PlannedUpload => {
    const { events, ...planned } = planUpload(7, 1, manner);
    return { ...planned, events: events.slice(0, 2), times: 8, lateMs: 80 };
  };
  const send = (manner: Manner): Promise<UploadEnd> => {
    const { port } = server.address() as AddressInfo;
    return uploadSlowly(`http://127.0.0.1:${port}`, upload(manner), 'request-1');
  };
  const answerAll = (response: ServerResponse): void => {
    for (let record = 1; record <= 16; record++) response.write(result(record, record > 2 ? 'duplicate' : 'accepted'));
    response.end(line(summary(16, 2, 14)));
  };

  it('has other events for each manner, with long ids', () => {
    const uploads = MANNERS.map((manner) => planUpload(7, 1, manner));
    expect(new Set(uploads.flatMap(({ events }) => events.map(({ name }) => name))).size).toBe(75);
    for (const { text, expected } of uploads.flatMap(({ events }) => events)) {
      expect((JSON.parse(text) as { eventId: string }).eventId).toBe(expected.eventId);
      expect(expected.eventId?.length).toBeLessThanOrEqual(255);
      expect(expected.sizeBytes).toBe(Buffer.byteLength(text));
    }
  });

  it.each(['late', 'slowly'] as const)('is complete when it is read %s', async (manner) => {
    answer = (request, response) => void request.resume().once('end', () => answerAll(response));
    const { kind, status, told } = await send(manner);
    expect([kind, status, told.length]).toEqual(['complete', 200, 2]);
  });

  it('ends with its connection', async () => {
    answer = (request, response) => {
      response.write(result(1, 'accepted'));
      request.once('data', () => setTimeout(() => request.socket.resetAndDestroy(), 50));
      request.resume();
    };
    const { kind, told, why } = await send('slowly');
    expect([kind, told.length, why]).toEqual(['ended', 1, 'ECONNRESET']);
    const unread = await send('never');
    expect([unread.kind, unread.told]).toEqual(['ended', []]);
  });

  it('is sent again later when it is refused', async () => {
    answer = (request, response) => void request.resume().once('end', () => response.writeHead(503).end('busy'));
    expect(await send('late')).toMatchObject({ kind: 'later', status: 503, why: 'busy' });
    answer = (request, response) => {
      request.resume();
      response.writeHead(503).end('busy');
    };
    expect(await send('never')).toMatchObject({ kind: 'later', status: 503 });
  });

  it('ends where nobody listens', async () => {
    const closed = await uploadSlowly('http://127.0.0.1:1', upload('slowly'), 'request-1');
    expect([closed.kind, closed.why]).toEqual(['ended', 'ECONNREFUSED']);
  });
});
