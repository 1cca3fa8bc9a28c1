import { setTimeout as sleep } from 'node:timers/promises';
import { FreshCopy, MOST_AGE_MS } from '../../../src/db/fresh-copy';

describe('FreshCopy', () => {
  it('does not rely on a refresh that began too long ago', async () => {
    let state = 'before';
    let copied = '';
    let end: () => void = () => undefined;
    const copy = new FreshCopy(async () => {
      const read = state;
      if (read === 'before') await new Promise<void>((resolve) => (end = resolve));
      copied = read;
    });
    const early = copy.ensure();
    state = 'after';
    await sleep(MOST_AGE_MS + 50);
    const late = copy.ensure();
    end();
    await Promise.all([early, late]);
    expect(copied).toBe('after');
  });

  it('does not rely on a refresh that began before the copy was invalidated', async () => {
    let state = 'before';
    let copied = '';
    let end: () => void = () => undefined;
    const copy = new FreshCopy(async () => {
      const read = state;
      if (read === 'before') await new Promise<void>((resolve) => (end = resolve));
      copied = read;
    });
    const early = copy.ensure();
    state = 'after';
    copy.invalidate();
    const late = copy.ensure();
    end();
    await Promise.all([early, late]);
    expect(copied).toBe('after');
  });
});
