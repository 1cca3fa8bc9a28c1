import { hash } from 'node:crypto';
import { Problem } from '../../../src/event/problems';
import { MAX_MEASURED_EVENTS, OversizedBody } from '../../../src/ingest/rejected/oversized-body';

const LIMIT = 1_000;
const MOST = LIMIT * MAX_MEASURED_EVENTS;
const textOf = (bytes: number): string =>
  Array.from({ length: bytes }, (_, i) => String.fromCharCode(97 + (i % 23))).join('');

async function* arriving(text: string, chunkBytes: number, error?: Error): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let at = 0; at < text.length; at += chunkBytes) yield Buffer.from(text.slice(at, at + chunkBytes));
  if (error) throw error;
}

describe('the body of an event that is too large', () => {
  it.each([1, 7, 999, 1_000, 1_001, MOST])(
    'is measured, and only its beginning is held, however it arrives: %d bytes at a time',
    async (chunkBytes) => {
      const text = textOf(MOST);
      const body = new OversizedBody([Buffer.from(text.slice(0, 1_003))], arriving(text.slice(1_003), chunkBytes));
      const charged: number[] = [];
      const measured = await body.measure(LIMIT, (bytes) => Promise.resolve(charged.push(bytes) > 0));
      expect(measured?.bytes.toString()).toBe(text.slice(0, LIMIT));
      expect(measured?.whole).toEqual({ sizeBytes: MOST, digest: hash('sha256', text, 'buffer') });
      expect(charged).toEqual(Array(MAX_MEASURED_EVENTS - 1).fill(LIMIT));
    },
  );

  const allow = (): Promise<boolean> => Promise.resolve(true);
  it('is not measured when it is larger than that', async () => {
    let read = 0;
    const endless = (async function* () {
      for (;;) {
        await Promise.resolve();
        yield Buffer.alloc(100, ++read);
      }
    })();
    expect(await new OversizedBody([], endless).measure(LIMIT, allow)).toBeUndefined();
    expect(read).toBe(MOST / 100 + 1);
    expect((await endless.next()).done).toBe(true);
  });

  it('is not read when its announced length is larger than that', async () => {
    const rest = arriving('x', 1);
    expect(await new OversizedBody([], rest, MOST + 1).measure(LIMIT, allow)).toBeUndefined();
    expect((await rest.next()).done).toBe(false);
  });

  it('is not measured beyond what its tenant may send', async () => {
    const rest = arriving(textOf(MOST), 100);
    let left = 3;
    expect(await new OversizedBody([], rest).measure(LIMIT, () => Promise.resolve(left-- > 0))).toBeUndefined();
    expect((await rest.next()).done).toBe(true);
  });

  it('is not measured when the rest stalls, breaks off or cannot be decoded', async () => {
    for (const error of [
      new Problem('request-timeout', 'late'),
      Object.assign(new Error('aborted'), { code: 'ECONNRESET' }),
    ]) {
      expect(await new OversizedBody([], arriving(textOf(1_500), 100, error)).measure(LIMIT, allow)).toBeUndefined();
    }
    const ours = new OversizedBody([], arriving(textOf(1_500), 100, new Error('out of memory')));
    await expect(ours.measure(LIMIT, allow)).rejects.toThrow('out of memory');
  });
});
