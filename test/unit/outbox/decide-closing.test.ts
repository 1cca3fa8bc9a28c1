import { decideClosing } from '../../../src/outbox/decide-closing';

describe('what is written about an entry after its publish', () => {
  it('I3: PUBLISHED when it was confirmed, and never otherwise', () => {
    expect(decideClosing('confirmed', 0)).toEqual({ kind: 'publish' });
    for (const outcome of ['unroutable', 'refused', 'unconfirmed', 'channel-broken', { rejected: 'x' }] as const) {
      expect(decideClosing(outcome, 0).kind).not.toBe('publish');
    }
  });

  it.each(['refused', 'unconfirmed', 'channel-broken'] as const)(
    'I9: never FAILED and no attempt when it was %s',
    (outcome) => {
      expect(decideClosing(outcome, 1_000)).toMatchObject({ kind: 'release', unroutable: false });
    },
  );

  it('FAILED with the reason when this very message is at fault', () => {
    expect(decideClosing({ rejected: 'too large' }, 0)).toEqual({ kind: 'fail', reason: 'too large' });
  });

  it('FAILED when it is unroutable for the third time; before that it waits until the queues are declared again', () => {
    expect([0, 1, 2, 3].map((attempts) => decideClosing('unroutable', attempts).kind)).toEqual([
      'release',
      'release',
      'fail',
      'fail',
    ]);
    expect(decideClosing('unroutable', 0)).toMatchObject({ waitSeconds: 2, unroutable: true });
  });

  it('waits only where waiting helps', () => {
    expect(decideClosing('refused', 0)).toMatchObject({ waitSeconds: 1 });
    expect(decideClosing('channel-broken', 0)).toMatchObject({ waitSeconds: 0 });
    expect(decideClosing('unconfirmed', 0)).toMatchObject({ waitSeconds: 0 });
  });
});
