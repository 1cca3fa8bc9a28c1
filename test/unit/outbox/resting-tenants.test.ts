import { RestingTenants } from '../../../src/outbox/resting-tenants';

describe('RestingTenants', () => {
  it('leaves a tenant out for 100 ms after it got entries', () => {
    const resting = new RestingTenants();
    resting.add(['a'], 0);
    resting.add(['b'], 50);
    expect(resting.now(99)).toEqual(['a', 'b']);
    expect(resting.now(100)).toEqual(['b']);
    expect(resting.now(150)).toEqual([]);
  });
});
