import * as fc from 'fast-check';
import { BufferBudget, type BufferHold } from '../../../src/runtime/buffer-budget';

const MAX = 1_000_000;

describe('the memory for requests that are being received', () => {
  it('has room for large bodies up to three quarters, and for small ones beyond that', () => {
    const budget = new BufferBudget(MAX);
    const large = budget.open();
    expect([large.grow(700_000), large.grow(60_000), large.grow(50_000)]).toEqual([true, false, true]);
    const small = budget.open();
    expect([small.grow(60_000), small.grow(5_000), small.grow(1_000)]).toEqual([true, true, false]);
    expect(budget.heldBytes).toBe(815_000);
  });

  it('lets one tenant have half of it', () => {
    const budget = new BufferBudget(MAX);
    const [a, b, other] = [budget.open('acme'), budget.open('acme'), budget.open('other')];
    expect([a.grow(400_000), b.grow(100_001), b.grow(100_000), other.grow(200_000)]).toEqual([true, false, true, true]);
    a.release();
    expect(b.grow(350_000)).toBe(true);
  });

  it('tells of each refusal', () => {
    const budget = new BufferBudget(MAX);
    const refused = jest.fn();
    budget.onRefused(refused);
    budget.open().grow(MAX + 1);
    budget.open('acme').grow(MAX);
    expect(refused).toHaveBeenCalledTimes(2);
  });

  it('is never exceeded, and free again once everything is released', () => {
    const step = fc.record({
      holder: fc.nat(9),
      bytes: fc.oneof(fc.nat(70_000), fc.nat(600_000)),
      release: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const budget = new BufferBudget(MAX);
        const owners = [undefined, 'a', 'b'];
        const holds: BufferHold[] = Array.from({ length: 10 }, (_, i) => budget.open(owners[i % owners.length]));
        const held = holds.map(() => 0);
        for (const { holder, bytes, release } of steps) {
          const hold = holds[holder] as BufferHold;
          if (release) {
            hold.release();
            held[holder] = 0;
          } else if (hold.grow(bytes)) held[holder] = (held[holder] as number) + bytes;
          expect(budget.heldBytes).toBe(held.reduce((sum, n) => sum + n, 0));
          expect(budget.heldBytes).toBeLessThanOrEqual(MAX);
          const ofA = held.filter((_, i) => i % 3 === 1).reduce((sum, n) => sum + n, 0);
          expect(ofA).toBeLessThanOrEqual(MAX / 2);
        }
        for (const hold of [...holds, ...holds]) hold.release();
        expect(budget.heldBytes).toBe(0);
      }),
    );
  });
});
