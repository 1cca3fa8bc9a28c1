import { Logger } from '@nestjs/common';
import { PatientWork } from '../../../src/worker/consume/patient-work';

Logger.overrideLogger(false);

const unreachable = (): Error => Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
const broken = (): Error => Object.assign(new Error('invalid input syntax'), { code: '22P02' });

interface Ended {
  done: string[][];
  stopped: string[];
  failed: string[];
}

async function run(
  items: string[],
  work: (items: readonly string[]) => void,
  isStopping: () => boolean = () => false,
  ownSucceed = false,
): Promise<Ended & { calls: string[] }> {
  const ended: Ended = { done: [], stopped: [], failed: [] };
  const calls: string[] = [];
  await new PatientWork(isStopping, { succeed: () => Promise.resolve(ownSucceed) }).run(
    items,
    (some) => {
      calls.push(some.join(''));
      return Promise.resolve().then(() => work(some));
    },
    {
      done: (some) => void ended.done.push([...some]),
      stopped: (some) => void ended.stopped.push(...some),
      failed: (item) => void ended.failed.push(item),
    },
  );
  return { ...ended, calls };
}

describe('work on messages', () => {
  it('is done together if nothing fails', async () => {
    expect(await run(['a', 'b'], () => undefined)).toMatchObject({ done: [['a', 'b']], calls: ['ab'] });
  });

  it('is repeated together while PostgreSQL cannot be reached', async () => {
    let outages = 3;
    const result = await run(['a', 'b'], () => {
      if (outages-- > 0) throw unreachable();
    });
    expect(result).toMatchObject({ done: [['a', 'b']], failed: [], calls: ['ab', 'ab', 'ab', 'ab'] });
  });

  it.each(['25006', '28P01', '3D000', '40P01', '42501', '42P01', '53100', '53300', '57P01'])(
    'waits after %s as well',
    async (code) => {
      let outages = 1;
      const result = await run(['a'], () => {
        if (outages-- > 0) throw Object.assign(new Error('x'), { code });
      });
      expect(result).toMatchObject({ done: [['a']], calls: ['a', 'a'] });
    },
  );

  it.each(['25006', '3F000', '42501', '42883', '42P01'])(
    'is tried alone after %s while our own statements succeed, so that one item does not hold up the others',
    async (code) => {
      const work = (items: readonly string[]): void => {
        if (items.includes('b')) throw Object.assign(new Error('x'), { code });
      };
      const result = await run(['a', 'b', 'c'], work, () => false, true);
      expect(result).toMatchObject({ done: [['a'], ['c']], failed: ['b'] });
      expect(result.calls).toEqual(['abc', 'a', 'b', 'b', 'b', 'c']);
    },
  );

  it.each(['ECONNREFUSED', '28P01', '40P01', '53100', '57P01'])(
    'waits after %s, which no item causes, without a look at our own statements',
    async (code) => {
      let outages = 1;
      const work = (): void => {
        if (outages-- > 0) throw Object.assign(new Error('x'), { code });
      };
      expect(await run(['a', 'b'], work, () => false, true)).toMatchObject({ done: [['a', 'b']], calls: ['ab', 'ab'] });
    },
  );

  it('is not repeated for ever when a statement is cancelled: somebody may hold a lock of one item', async () => {
    const result = await run(['a', 'b'], (items) => {
      if (items.includes('b')) throw Object.assign(new Error('canceling statement due to timeout'), { code: '57014' });
    });
    expect(result).toMatchObject({ done: [['a']], failed: ['b'], calls: ['ab', 'a', 'b', 'b', 'b'] });
  });

  it('is tried alone after any other failure, and only the item that fails alone three times is given up', async () => {
    const result = await run(['a', 'b', 'c'], (items) => {
      if (items.includes('b')) throw broken();
    });
    expect(result).toMatchObject({ done: [['a'], ['c']], stopped: [], failed: ['b'] });
    expect(result.calls).toEqual(['abc', 'a', 'b', 'b', 'b', 'c']);
  });

  it('counts no outage as a failure of the item', async () => {
    const failures = [broken, unreachable, broken, unreachable, unreachable];
    const result = await run(['a'], () => {
      const next = failures.shift();
      if (next) throw next();
    });
    expect(result).toMatchObject({ done: [['a']], failed: [] });
  });

  it('gives up nothing when the worker stops meanwhile', async () => {
    let stopping = false;
    const result = await run(
      ['a', 'b'],
      () => {
        stopping = true;
        throw broken();
      },
      () => stopping,
    );
    expect(result).toMatchObject({ done: [], stopped: ['a', 'b'], failed: [] });
  });
});
