import { configuredUrl, type AllowedUrl } from '../../../../src/sources/fetching/allowed-url';
import { KeptKeys } from '../../../../src/sources/fetching/kept-keys';

const url = (name: string): AllowedUrl => configuredUrl(`https://keys.example.com/${name}`);

/** Keys whose fetches are counted, and fail while `down` is true. */
function counted(lifeMs = 60_000) {
  const state = { fetches: 0, down: false };
  const keys = new KeptKeys(
    async () => {
      state.fetches++;
      await Promise.resolve();
      if (state.down) throw new Error('down');
      return { number: state.fetches };
    },
    () => ({ freshMs: lifeMs, usableMs: 2 * lifeMs }),
  );
  return { keys, state };
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

describe('what was fetched from a URL', () => {
  it('is fetched once for all who ask at the same time, and kept for its life', async () => {
    const { keys, state } = counted(60_000);
    await Promise.all([keys.get(url('a')), keys.get(url('a')), keys.get(url('a'))]);
    jest.advanceTimersByTime(59_999);
    expect(await keys.get(url('a'))).toEqual({ number: 1 });
    jest.advanceTimersByTime(1);
    expect(await keys.get(url('a'))).toEqual({ number: 2 });
    expect(state.fetches).toBe(2);
  });

  it('is not fetched for ten seconds after a failure', async () => {
    const { keys, state } = counted();
    state.down = true;
    await expect(keys.get(url('a'))).rejects.toThrow('down');
    state.down = false;
    jest.advanceTimersByTime(9_999);
    await expect(keys.get(url('a'))).rejects.toThrow('has failed');
    expect(await keys.get(url('b'))).toEqual({ number: 2 });
    jest.advanceTimersByTime(1);
    expect(await keys.get(url('a'))).toEqual({ number: 3 });
  });

  it('is fetched again for a key that is missing, once it is old enough', async () => {
    const { keys, state } = counted(3_600_000);
    const first = await keys.get(url('a'));
    jest.advanceTimersByTime(59_999);
    expect(await keys.get(url('a'), 60_000)).toBe(first);
    jest.advanceTimersByTime(1);
    expect(await keys.get(url('a'), 60_000)).toEqual({ number: 2 });
    expect(state.fetches).toBe(2);
  });

  it('goes on being used when it cannot be fetched again', async () => {
    const { keys, state } = counted(3_600_000);
    await keys.get(url('a'));
    jest.advanceTimersByTime(60_000);
    state.down = true;
    await expect(keys.get(url('a'), 60_000)).rejects.toThrow('down');
    expect(await keys.get(url('a'))).toEqual({ number: 1 });
  });

  it('is used for longer when it cannot be fetched again, but not for ever', async () => {
    const { keys, state } = counted(60_000);
    await keys.get(url('a'));
    state.down = true;
    jest.advanceTimersByTime(60_000);
    expect(await keys.get(url('a'))).toEqual({ number: 1 });
    expect(await keys.get(url('a'))).toEqual({ number: 1 });
    expect(state.fetches).toBe(2);
    await expect(keys.get(url('a'), 60_000)).rejects.toThrow('has failed');
    jest.advanceTimersByTime(59_999);
    expect(await keys.get(url('a'))).toEqual({ number: 1 });
    jest.advanceTimersByTime(1);
    await expect(keys.get(url('a'))).rejects.toThrow('has failed');
  });

  it('is forgotten when a hundred others were used since', async () => {
    const { keys, state } = counted();
    await keys.get(url('used'));
    await keys.get(url('unused'));
    for (let i = 0; i < 99; i++) {
      await keys.get(url(`${i}`));
      await keys.get(url('used'));
    }
    expect(state.fetches).toBe(101);
    await keys.get(url('unused'));
    expect(state.fetches).toBe(102);
    await keys.get(url('used'));
    expect(state.fetches).toBe(102);
  });

  it('remembers at most a thousand failures', async () => {
    const { keys, state } = counted();
    state.down = true;
    for (let i = 0; i < 5_000; i++) await keys.get(url(`${i}`)).catch(() => undefined);
    expect((keys as unknown as { pausedUntilMs: Map<string, number> }).pausedUntilMs.size).toBe(1_000);
  });
});
