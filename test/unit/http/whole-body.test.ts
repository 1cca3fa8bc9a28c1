import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { BufferBudget } from '../../../src/runtime/buffer-budget';
import { readWholeBody, type LargeBody, type WholeBodyLimits } from '../../../src/http/whole-body';

const ROOM = 1_000_000;
let buffers = new BufferBudget(ROOM);
beforeEach(() => (buffers = new BufferBudget(ROOM)));
afterEach(() => expect(buffers.heldBytes).toBe(0)); // however a body ends

const LIMITS: Omit<WholeBodyLimits, 'hold'> = {
  maxBytes: 20,
  stallMs: 1_000,
  announcedBytes: NaN,
  mayBeArray: true,
};

describe('a body that is read whole', () => {
  const read = (
    source: Readable,
    limits: Partial<WholeBodyLimits> = {},
  ): Promise<Buffer | Readable | LargeBody | undefined> =>
    new Promise((resolve, reject) => {
      readWholeBody(source, { ...LIMITS, hold: buffers.open(), ...limits }, (error, body) =>
        error ? reject(error) : resolve(body),
      );
    });
  /** Each piece arrives as a chunk of its own. */
  const arriving = (...pieces: string[]): PassThrough => {
    const source = new PassThrough();
    const send = (): void => {
      const piece = pieces.shift();
      if (piece === undefined) source.end();
      else source.write(piece, () => setImmediate(send));
    };
    setImmediate(send);
    return source;
  };

  it.each([[['']], [['{"a":1}']], [['{"a"', ':1}']], [[' \n', '\ufeff{', '}']], [['"[1]"']], [['{', '[]']]])(
    'is a buffer of all its chunks: %j',
    async (pieces) => {
      const body = await read(arriving(...pieces));
      expect((body as Buffer).toString()).toBe(pieces.join(''));
    },
  );

  it.each([[['[1,2]']], [[' \n ', '\ufeff', '[1', ',2]']], [['[', 'x'.repeat(5_000), ']']]])(
    'is the unread stream when it begins with a bracket: %.40j',
    async (pieces) => {
      const source = arriving(...pieces);
      const body = await read(source, { announcedBytes: 6_000 });
      expect(body).toBe(source);
      expect(await text(body as Readable)).toBe(pieces.join(''));
    },
  );

  it('is handed over before the rest of the array has arrived', async () => {
    const source = new PassThrough();
    source.write('[1,');
    const body = (await read(source)) as Readable;
    setImmediate(() => source.end('2]'));
    expect(await text(body)).toBe('[1,2]');
  });

  it('is a buffer although it is an array when the route reads no arrays', async () => {
    expect(((await read(arriving('[1', ']'), { mayBeArray: false })) as Buffer).toString()).toBe('[1]');
  });

  it.each([
    ['at its first byte when its length is announced', ['{'], { announcedBytes: 21 }],
    ['at once when it cannot be an array', [], { announcedBytes: 21, mayBeArray: false }],
    ['at the byte beyond the limit', ['{', 'x'.repeat(20)], {}],
    ['for white space alone', [' '.repeat(21)], {}],
  ])('is too large %s', async (_what, pieces, limits) => {
    const source = new PassThrough();
    for (const piece of pieces) source.write(piece); // and never ends
    await expect(read(source, limits)).rejects.toMatchObject({ code: 'event-too-large' });
  });

  it.each<[string, string[], Partial<WholeBodyLimits>]>([
    ['whose length is announced', ['{', '"a":1234567890123', '}'], { announcedBytes: 21 }],
    [
      'that is known to be too large before its first byte',
      ['x'.repeat(21)],
      { announcedBytes: 21, mayBeArray: false },
    ],
    ['of unknown length', ['{', 'x'.repeat(25), '}'], {}],
  ])('is handed over unread when it is too large for a route that reads on: %s', async (_what, pieces, limits) => {
    const body = await read(arriving(...pieces), { ...limits, takesLarge: true });
    expect(await text((body as LargeBody).unread)).toBe(pieces.join(''));
  });

  it('accepts the maximum size', async () => {
    expect(await read(arriving('x'.repeat(20)), { announcedBytes: 20 })).toHaveLength(20);
  });

  it('is malformed when the connection breaks', async () => {
    const source = new PassThrough();
    source.write('{');
    setImmediate(() => source.destroy());
    await expect(read(source)).rejects.toMatchObject({ code: 'malformed-body' });
    const failing = new PassThrough();
    setImmediate(() => failing.destroy(new Error('aborted')));
    await expect(read(failing)).rejects.toMatchObject({ code: 'malformed-body' });
  });

  describe('that stalls', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
    afterEach(() => jest.useRealTimers());

    it('gets request-timeout, also before its first byte', async () => {
      const source = new PassThrough();
      const stalled = expect(read(source)).rejects.toMatchObject({ code: 'request-timeout' });
      await jest.advanceTimersByTimeAsync(LIMITS.stallMs);
      await stalled;
    });

    it('gets request-timeout when it trickles in for four times that', async () => {
      const source = new PassThrough();
      const late = expect(read(source, { maxBytes: 1_000 })).rejects.toMatchObject({ code: 'request-timeout' });
      for (let i = 0; i < 6; i++) {
        source.write('x');
        await jest.advanceTimersByTimeAsync(LIMITS.stallMs - 100);
      }
      await late;
    });

    it('leaves no timer and no listener behind', async () => {
      for (const pieces of [['{}'], ['[]']]) {
        const source = new PassThrough();
        const listeners = source.listenerCount('error');
        source.end(pieces[0]);
        await read(source);
        expect([source.listenerCount('data'), source.listenerCount('error')]).toEqual([0, listeners]);
      }
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});
