import { Logger } from '@nestjs/common';
import { eachInTurn } from '../../../src/runtime/loops/each-in-turn';
import { FailingItems } from '../../../src/runtime/loops/failing-items';

const failure = (code?: string): Error => Object.assign(new Error('it fails'), { code });
const OUTAGE = failure('57P01');

describe('items of a loop of which one fails', () => {
  let items: FailingItems;
  let stepped: string[];
  let failing: Map<string, Error>;
  let logged: { error: jest.SpyInstance; warn: jest.SpyInstance };
  beforeEach(() => {
    jest.useFakeTimers();
    logged = {
      error: jest.spyOn(Logger.prototype, 'error').mockImplementation(),
      warn: jest.spyOn(Logger.prototype, 'warn').mockImplementation(),
    };
    items = new FailingItems(new Logger('Test'), 'item');
    stepped = [];
    failing = new Map([['b', failure()]]);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  const run = (moves = true): Promise<boolean> => {
    stepped = [];
    return items.step(['a', 'b', 'c'], (id) => {
      stepped.push(id);
      const error = failing.get(id);
      return error ? Promise.reject(error) : Promise.resolve(moves);
    });
  };

  it('does not stop those behind it', async () => {
    await expect(run()).resolves.toBe(true);
    expect(stepped).toEqual(['a', 'b', 'c']);
    await expect(run(false)).resolves.toBe(false);
  });

  it('is left out for a second, and twice as long after each further failure, up to a minute', async () => {
    await run();
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      jest.advanceTimersByTime(seconds * 1_000 - 1);
      await run();
      expect(stepped).toEqual(['a', 'c']);
      jest.advanceTimersByTime(1);
      await run();
      expect(stepped).toEqual(['a', 'b', 'c']);
    }
  });

  it('has one line in the log until it succeeds', async () => {
    for (let i = 0; i < 5; i++) {
      await run();
      jest.advanceTimersByTime(60_000);
    }
    expect(logged.error).toHaveBeenCalledTimes(1);
    expect(logged.error.mock.calls[0]).toMatchObject([{ msg: 'a step of item b failed and is repeated' }]);
    failing.clear();
    await run();
    expect(stepped).toEqual(['a', 'b', 'c']);
    failing.set('b', failure('40P01'));
    await run();
    expect(logged.warn).toHaveBeenCalledTimes(1);
  });

  it('may have met a fault of its own that otherwise means an outage', async () => {
    failing.set('b', failure('42501'));
    await expect(run()).resolves.toBe(true);
    expect(stepped).toEqual(['a', 'b', 'c']);
  });

  it('stops the others while PostgreSQL cannot do its work', async () => {
    failing.set('b', OUTAGE);
    await expect(run()).rejects.toBe(OUTAGE);
    expect(stepped).toEqual(['a', 'b']);
  });

  it('is remembered among a bounded number of others', async () => {
    const many = Array.from({ length: 1_001 }, (_, i) => String(i));
    const tried: string[] = [];
    const fail = (id: string): Promise<boolean> => {
      tried.push(id);
      return Promise.reject(failure());
    };
    await items.step(many, fail);
    await items.step(['1000', '0'], fail);
    expect(tried).toEqual([...many, '0']);
  });
});

describe('work for each item in turn', () => {
  const doneUntil = async (failing: ReadonlyMap<string, Error>): Promise<{ done: string[]; thrown: unknown }> => {
    const done: string[] = [];
    const work = (item: string): Promise<void> => {
      const error = failing.get(item);
      if (error) return Promise.reject(error);
      done.push(item);
      return Promise.resolve();
    };
    const thrown: unknown = await eachInTurn(['a', 'b', 'c', 'd'], work).catch((error: unknown) => error);
    return { done, thrown };
  };

  it('goes on after a failure, and throws the first one in the end', async () => {
    const [first, second] = [failure(), failure()];
    const failing = new Map([
      ['b', first],
      ['c', second],
    ]);
    await expect(doneUntil(failing)).resolves.toEqual({ done: ['a', 'd'], thrown: first });
    await expect(doneUntil(new Map())).resolves.toEqual({ done: ['a', 'b', 'c', 'd'], thrown: undefined });
  });

  it('stops while PostgreSQL cannot do its work', async () => {
    await expect(doneUntil(new Map([['b', OUTAGE]]))).resolves.toEqual({ done: ['a'], thrown: OUTAGE });
  });
});
