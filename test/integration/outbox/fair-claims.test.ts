import { randomUUID } from 'node:crypto';
import { forgetTenantRests, noteTenantRests } from '../../../src/event-state/tenant-rests.queries';
import { claimDueEntries, type Claim, type ClaimRequest } from '../../../src/outbox/claim.queries';
import { eventually } from '../../support/eventually';
import { LEASE_SECONDS, useOutbox } from '../../support/fixtures/outbox';
import { givenEvents } from '../../support/rows';

const outbox = useOutbox();

const claim = (asked: Partial<ClaimRequest> = {}): Promise<Claim> =>
  claimDueEntries(outbox.pool, {
    token: randomUUID(),
    afterLane: '',
    without: [],
    limit: 1_000,
    maxBytes: 1_000_000_000,
    leaseSeconds: LEASE_SECONDS,
    ...asked,
  });
const tenantsOf = ({ entries }: Claim): string[] => entries.map(({ event }) => event.tenantId);
const countOf = (claimed: Claim, tenantId: string): number => tenantsOf(claimed).filter((id) => id === tenantId).length;
const given = (tenantId: string, count: number) => givenEvents(outbox.pool, count, {}, tenantId);
const nameOf = (n: number): string => `tenant-${String(n).padStart(3, '0')}`;

async function givenTenants(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await given(nameOf(n), 1);
}

describe('a claim', () => {
  it('takes the fresh entries of a tenant beside the backlog of another, in the first turns', async () => {
    await given('flood', 500);
    await given('quiet', 3);
    const claimed = await claim({ limit: 100 });
    expect(tenantsOf(claimed).slice(0, 6)).toEqual(['flood', 'quiet', 'flood', 'quiet', 'flood', 'quiet']);
    expect(countOf(claimed, 'flood')).toBe(97);
    expect(claimed.more).toBe(true);
  });

  it('takes the entries of each tenant in the order in which they were appended', async () => {
    const [a, b] = [await given('a', 30), await given('b', 5)];
    const { entries } = await claim();
    const idsOf = (tenantId: string) => entries.flatMap(({ event }) => (event.tenantId === tenantId ? [event.id] : []));
    expect(idsOf('a')).toEqual(a.map(({ id }) => id));
    expect(idsOf('b')).toEqual(b.map(({ id }) => id));
  });

  it('is shared by weight, and what one leaves goes to the others by weight', async () => {
    await outbox.pool.query(`insert into tenants (id, name, version, weight) values ('heavy', 'Heavy', 1, 3)`);
    await given('heavy', 100);
    await given('light', 100);
    const both = await claim({ limit: 40 });
    expect([countOf(both, 'heavy'), countOf(both, 'light')]).toEqual([30, 10]);
    await given('small', 2);
    const three = await claim({ limit: 50 });
    expect(countOf(three, 'small')).toBe(2);
    expect(countOf(three, 'heavy')).toBeGreaterThan(2.5 * countOf(three, 'light'));
    expect(three.entries).toHaveLength(50);
  });

  it('gives each tenant an entry, even if the shares by weight leave less than one', async () => {
    await outbox.pool.query(`insert into tenants (id, name, version, weight) values ('heaviest', 'Heaviest', 1, 100)`);
    for (const tenantId of ['heaviest', 'x', 'y', 'z']) await given(tenantId, 10);
    const claimed = await claim({ limit: 4 });
    expect([...new Set(tenantsOf(claimed))].sort()).toEqual(['heaviest', 'x', 'y', 'z']);
    expect(claimed.more).toBe(true);
  });

  it('is full while one tenant has more, and has no entry twice', async () => {
    for (const [tenantId, count] of [
      ['a', 3],
      ['b', 500],
      ['c', 40],
    ] as const)
      await given(tenantId, count);
    const claimed = await claim({ limit: 300 });
    expect(new Set(claimed.entries.map(({ id }) => id)).size).toBe(300);
    expect([countOf(claimed, 'a'), countOf(claimed, 'c')]).toEqual([3, 40]);
    expect((await claim({ limit: 300 })).entries).toHaveLength(243);
    expect((await claim({ limit: 300 })).entries).toEqual([]);
  });

  it('looks at 64 tenants, and the next one at the others', async () => {
    await givenTenants(100);
    const first = await claim();
    expect(first.entries).toHaveLength(64);
    expect(first.lastLane).toBe(nameOf(63));
    const second = await claim({ afterLane: nameOf(63) });
    expect(tenantsOf(second)).toEqual(Array.from({ length: 36 }, (_, i) => nameOf(64 + i)));
  });

  it('begins again with the first tenant after the last one', async () => {
    for (const tenantId of ['a', 'm', 'z']) await given(tenantId, 2);
    const claimed = await claim({ afterLane: 'm', limit: 2 });
    expect(tenantsOf(claimed)).toEqual(expect.arrayContaining(['z', 'a']));
    expect(claimed.lastLane).toBe('a');
    expect(tenantsOf(await claim({ afterLane: 'a', limit: 1 }))).toEqual(['m']);
    expect((await claim({ afterLane: 'zz' })).entries).toHaveLength(3);
  });

  it('says where to go on, even if nothing is due at the tenants that it looked at', async () => {
    await givenTenants(70);
    await outbox.pool.query(`update outbox set next_attempt_at = now() + interval '1 hour'`);
    await given('the-last', 1);
    const first = await claim();
    expect(first.entries).toEqual([]);
    expect(first.lastLane).toBe(nameOf(63));
    expect(tenantsOf(await claim({ afterLane: nameOf(63) }))).toEqual(['the-last']);
  });

  it('ends at the byte limit in turns, so that large events of one tenant leave room for others', async () => {
    await given('large', 50);
    await outbox.pool.query('update events set size_bytes = 1000000');
    await given('small', 5);
    const claimed = await claim({ maxBytes: 6_000_000 });
    expect(countOf(claimed, 'small')).toBe(5);
    expect(countOf(claimed, 'large')).toBeLessThan(10);
    expect(claimed.cutAt).toBe(claimed.entries.length);
  });

  it('takes entries that the build before has appended, without a tenant', async () => {
    await given('a', 2);
    await outbox.pool.query(`update outbox set tenant_id = ''`);
    await given('b', 1);
    expect(tenantsOf(await claim()).sort()).toEqual(['a', 'a', 'b']);
  });
});

describe('a claim beside a tenant whose handlers fail', () => {
  const givenRest = (restMs: number) => noteTenantRests(outbox.pool, [{ tenantId: 'failing', restMs }]);

  it('leaves it out while it rests, and gives what it would have got to others', async () => {
    await given('failing', 500);
    await given('good', 200);
    await givenRest(10_000);
    const claimed = await claim({ limit: 100 });
    expect([countOf(claimed, 'failing'), countOf(claimed, 'good')]).toEqual([0, 100]);
    expect(claimed.resting.size).toBe(0);
  });

  it('gives it ten entries after its rest, and names it', async () => {
    await given('failing', 500);
    await given('good', 20);
    await givenRest(0);
    const claimed = await claim({ limit: 100 });
    expect([countOf(claimed, 'failing'), countOf(claimed, 'good')]).toEqual([10, 20]);
    expect([...claimed.resting]).toEqual(['failing']);
    expect(claimed.more).toBe(false);
    expect((await claim({ limit: 100, without: ['failing'] })).entries).toEqual([]);
    expect((await claim({ limit: 4 })).entries).toHaveLength(2);
  });

  it('gives it its share again when nobody has noted a rest for 10 seconds', async () => {
    await given('failing', 500);
    await given('good', 20);
    await givenRest(-10_001);
    expect(countOf(await claim({ limit: 100 }), 'failing')).toBe(80);
  });

  it('does not heed a rest that was noted before the clock of PostgreSQL was set back', async () => {
    await given('failing', 100);
    await givenRest(3_600_000);
    expect(countOf(await claim({ limit: 50 }), 'failing')).toBe(50);
    await givenRest(5_000);
    expect(countOf(await claim({ limit: 50 }), 'failing')).toBe(0);
  });

  it('keeps the rest that ends last, and forgets those that ended a minute ago', async () => {
    await givenRest(60_000);
    await givenRest(100);
    await noteTenantRests(outbox.pool, [{ tenantId: 'works again', restMs: -61_000 }]);
    await forgetTenantRests(outbox.pool);
    const { rows } = await outbox.pool.query(
      `select tenant_id, rests_until > now() + interval '50 seconds' as "isLong" from tenant_rests`,
    );
    expect(rows).toEqual([{ tenant_id: 'failing', isLong: true }]);
  });
});

describe('the publisher', () => {
  it('publishes what fills the queue of the workers, and leaves the rest in the outbox', async () => {
    await given('flood', 1_500);
    outbox.broker.consumers = 1;
    const publisher = outbox.publisherTo(outbox.broker, { OUTBOX_BATCH_SIZE: '250' });
    for (let n = 0; n < 2; n++) await publisher.runOnce();
    outbox.broker.queued = 500;
    await expect(publisher.runOnce()).resolves.toBeGreaterThan(0);
    expect(outbox.broker.received).toHaveLength(500);
    outbox.broker.queued = 0;
    await eventually(async () => {
      await publisher.runOnce();
      expect(outbox.broker.received).toHaveLength(750);
    });
  });

  it('does not fill the queue while the workers are gone for a moment', async () => {
    await given('flood', 1_000);
    outbox.broker.consumers = 1;
    const publisher = outbox.publisherTo(outbox.broker, { OUTBOX_BATCH_SIZE: '250' });
    for (let n = 0; n < 2; n++) await publisher.runOnce();
    outbox.broker.consumers = 0;
    outbox.broker.queued = 500;
    await expect(publisher.runOnce()).resolves.toBeGreaterThan(0);
    expect(outbox.broker.received).toHaveLength(500);
  });

  it('looks again at each claim while no worker is there', async () => {
    await given('flood', 1_500);
    const publisher = outbox.publisherTo(outbox.broker, { OUTBOX_BATCH_SIZE: '250' });
    await publisher.runOnce();
    outbox.broker.consumers = 1;
    outbox.broker.queued = 300;
    await publisher.runOnce();
    expect(outbox.broker.received).toHaveLength(250);
  });

  it('reaches a tenant behind many others that wait', async () => {
    await givenTenants(70);
    await outbox.pool.query(`update outbox set next_attempt_at = now() + interval '1 hour'`);
    await given('the-last', 1);
    const publisher = outbox.publisherTo(outbox.broker);
    await expect(publisher.runOnce()).resolves.toBeLessThan(100);
    await publisher.runOnce();
    expect(outbox.broker.received).toHaveLength(1);
  });
});
