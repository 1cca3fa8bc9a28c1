import { setTimeout as sleep } from 'node:timers/promises';
import { FreshCopy, MOST_AGE_MS } from '../../../src/db/fresh-copy';

describe('FreshCopy', () => {
  it.each<[string, (copy: FreshCopy) => unknown]>([
    ['began too long ago', () => sleep(MOST_AGE_MS + 50)],
    ['began before the copy was invalidated', (copy) => copy.invalidate()],
  ])('does not rely on a refresh that %s', async (_what, meanwhile) => {
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
    await meanwhile(copy);
    const late = copy.ensure();
    end();
    await Promise.all([early, late]);
    expect(copied).toBe('after');
  });
});
