import { largestDisplacement } from '../../deliveries-proof/order';

const asIs = (id: string): string => id;

describe('the largest displacement', () => {
  it('is none of what arrives in order', () => {
    expect(largestDisplacement(['a', 'b', 'c'], asIs)).toBe(0);
    expect(largestDisplacement([], asIs)).toBe(0);
  });

  it('is the number of places between an arrival and its own place', () => {
    expect(largestDisplacement(['b', 'a', 'c', 'd'], asIs)).toBe(1);
    expect(largestDisplacement(['d', 'a', 'b', 'c'], asIs)).toBe(3);
    expect(largestDisplacement(['b', 'c', 'd', 'a'], asIs)).toBe(3);
  });

  it('leaves the order of one rank open', () => {
    const rankOf = (id: string): number => (id === 'z' ? 2 : 1);
    expect(largestDisplacement(['c', 'a', 'b', 'z'], rankOf)).toBe(0);
    expect(largestDisplacement(['c', 'a', 'z', 'b'], rankOf)).toBe(1);
  });
});
