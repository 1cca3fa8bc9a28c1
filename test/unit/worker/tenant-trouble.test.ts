import { TenantTrouble } from '../../../src/worker/settle/tenant-trouble';

const item = (tenantId: string, n: number) => ({ event: { tenantId }, n });
const items = (tenantId: string, count: number) => Array.from({ length: count }, (_, n) => item(tenantId, n));
const FAILED = { failed: 10, succeeded: 0 };

describe('TenantTrouble', () => {
  it('leaves a batch together while nothing fails, or little', () => {
    const trouble = new TenantTrouble();
    const batch = [...items('a', 3), ...items('b', 3)];
    expect(trouble.split(batch, 0)).toEqual({ together: batch, apart: [], postponed: [], besideOthers: [] });
    trouble.learn('a', { failed: 3, succeeded: 0 }, 0);
    expect(trouble.split(batch, 0).together).toEqual(batch);
    trouble.learn('a', { failed: 6, succeeded: 20 }, 0);
    expect(trouble.split(batch, 0).together).toEqual(batch);
  });

  it('takes the tenant whose events fail out of the batches of others, and runs ten of its events every 100 ms', () => {
    const trouble = new TenantTrouble();
    trouble.learn('bad', FAILED, 0);
    const split = trouble.split([...items('bad', 50), ...items('good', 2)], 1);
    expect(split.together).toEqual(items('good', 2));
    expect(split.apart).toEqual([items('bad', 10)]);
    expect(split.postponed).toHaveLength(40);
    expect(split.besideOthers).toEqual(['bad']);
    expect(trouble.restMs('bad', 1)).toBe(100);
    expect(trouble.split([...items('bad', 50), ...items('good', 1)], 50)).toMatchObject({ apart: [] });
    expect(trouble.split(items('bad', 50), 150).apart).toEqual([items('bad', 10)]);
  });

  it('runs all of its events while no other tenant has any', () => {
    const trouble = new TenantTrouble();
    trouble.learn('bad', FAILED, 0);
    const apart = [items('bad', 50)];
    expect(trouble.split(items('bad', 50), 1)).toEqual({ together: [], apart, postponed: [], besideOthers: [] });
  });

  it('gives a tenant whose events take long a tenth of the time', () => {
    const trouble = new TenantTrouble();
    trouble.learn('bad', FAILED, 0);
    const batch = [...items('bad', 5), ...items('good', 1)];
    trouble.ran('bad', 200, 200);
    expect(trouble.restMs('bad', 200)).toBe(1_800);
    expect(trouble.split(batch, 1_900).apart).toEqual([]);
    expect(trouble.split(batch, 2_000).apart).toEqual([items('bad', 5)]);
  });

  it('rests for ten seconds at most, however long its events take', () => {
    const trouble = new TenantTrouble();
    trouble.learn('bad', FAILED, 0);
    trouble.ran('bad', 30_000, 30_000);
    expect(trouble.restMs('bad', 30_000)).toBe(10_000);
  });

  it('gives all tenants in trouble together a tenth of the time, and runs four groups in a batch', () => {
    const trouble = new TenantTrouble();
    const tenants = ['v', 'w', 'x', 'y', 'z'];
    for (const tenantId of tenants) trouble.learn(tenantId, FAILED, 0);
    const batch = tenants.flatMap((tenantId) => items(tenantId, 2));
    expect(trouble.split(batch, 1)).toMatchObject({ apart: tenants.slice(0, 4).map((id) => items(id, 2)) });
    for (const tenantId of tenants) trouble.ran(tenantId, 100, 100);
    expect(trouble.restMs('z', 100)).toBe(5 * 900);
  });

  it('has room for other tenants again when the failures of a thousand are long ago', () => {
    const trouble = new TenantTrouble();
    for (let n = 0; n < 1_000; n++) trouble.learn(`t${n}`, FAILED, 0);
    trouble.learn('new', FAILED, 100);
    expect(trouble.split(items('new', 1), 100).together).toHaveLength(1);
    trouble.learn('new', FAILED, 60_000);
    expect(trouble.split(items('new', 1), 60_000).together).toEqual([]);
  });

  it('shares among several tenants in trouble', () => {
    const trouble = new TenantTrouble();
    for (const tenantId of ['x', 'y']) trouble.learn(tenantId, FAILED, 0);
    const { apart, postponed } = trouble.split([...items('x', 20), ...items('y', 20)], 1);
    expect(apart).toEqual([items('x', 10), items('y', 10)]);
    expect(postponed).toHaveLength(20);
  });

  it('trusts a tenant again whose events succeed, or of whom nothing is known any more', () => {
    const trouble = new TenantTrouble();
    for (const tenantId of ['x', 'y']) trouble.learn(tenantId, FAILED, 0);
    trouble.learn('x', { failed: 0, succeeded: 20 }, 10);
    expect(trouble.split(items('x', 5), 20).together).toHaveLength(5);
    expect(trouble.split(items('y', 5), 10_000).together).toHaveLength(5);
  });
});
