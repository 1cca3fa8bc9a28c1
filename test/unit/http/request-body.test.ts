import { PassThrough } from 'node:stream';
import { bodyChunks } from '../../../src/http/request-body';

const STALL_MS = 1_000;

describe('the chunks of a request body', () => {
  let source: PassThrough;
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    source = new PassThrough();
  });
  afterEach(() => {
    jest.useRealTimers();
    source.destroy();
  });

  it('are those of the request', async () => {
    source.write('a');
    source.end('b');
    const texts: string[] = [];
    for await (const chunk of bodyChunks(source, STALL_MS)) texts.push(chunk.toString());
    expect(texts.join('')).toBe('ab');
  });

  it('fail with request-timeout when no byte arrives for too long', async () => {
    const chunks = bodyChunks(source, STALL_MS);
    const stalled = expect(chunks.next()).rejects.toMatchObject({ code: 'request-timeout' });
    await jest.advanceTimersByTimeAsync(STALL_MS);
    await stalled;
  });

  it('continue while each chunk arrives in time', async () => {
    const chunks = bodyChunks(source, STALL_MS);
    for (const text of ['a', 'b', 'c']) {
      const next = chunks.next();
      await jest.advanceTimersByTimeAsync(STALL_MS - 1);
      source.write(text);
      await expect(next).resolves.toEqual({ done: false, value: Buffer.from(text) });
    }
  });

  it('do not count the time in which nothing is read', async () => {
    const chunks = bodyChunks(source, STALL_MS);
    source.write('a');
    await chunks.next();
    await jest.advanceTimersByTimeAsync(10 * STALL_MS);
    source.write('b');
    await expect(chunks.next()).resolves.toEqual({ done: false, value: Buffer.from('b') });
  });

  it('do not count the time that the server kept the sender waiting', async () => {
    let waitedMs = 0;
    const chunks = bodyChunks(source, STALL_MS, {
      get waitedMs() {
        return waitedMs;
      },
    });
    const next = chunks.next();
    let stalled = false;
    next.catch(() => (stalled = true));
    for (let i = 0; i < 50; i++) {
      waitedMs += STALL_MS / 2;
      await jest.advanceTimersByTimeAsync(STALL_MS / 2);
    }
    await jest.advanceTimersByTimeAsync(STALL_MS - 10);
    expect(stalled).toBe(false);
    const problem = expect(next).rejects.toMatchObject({ code: 'request-timeout' });
    await jest.advanceTimersByTimeAsync(20);
    await problem;
  });

  it('leave the request open when their reader stops, so that it still gets a response', async () => {
    const chunks = bodyChunks(source, STALL_MS);
    source.write('a');
    await chunks.next();
    await chunks.return(undefined);
    expect(source.destroyed).toBe(false);
  });

  it('leave the request open when it stalls', async () => {
    const stalled = expect(bodyChunks(source, STALL_MS).next()).rejects.toThrow();
    await jest.advanceTimersByTimeAsync(STALL_MS);
    await stalled;
    expect(source.destroyed).toBe(false);
  });

  it('fail with the error of a broken connection', async () => {
    const broken = expect(bodyChunks(source, STALL_MS).next()).rejects.toThrow('aborted');
    source.destroy(new Error('aborted'));
    await broken;
  });

  it('leave no timer behind', async () => {
    source.end('a');
    const chunks = bodyChunks(source, STALL_MS);
    while (!(await chunks.next()).done);
    expect(jest.getTimerCount()).toBe(0);
  });
});
