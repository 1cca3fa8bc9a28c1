import { Intake } from '../../../src/ingest/store/intake';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { Metrics } from '../../../src/observability/metrics';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { writerTo } from '../../support/batch-writer';
import { prepared } from '../../support/events';
import { useWriters } from '../../support/fixtures/writers';
import { kinds, twins } from '../../support/prepared-variants';
import { countRows } from '../../support/rows';

const REFUSED = 'refused.by-trigger';
const UNAVAILABLE = { code: 'storage-unavailable', extras: { retryAfterSeconds: 2 } };

/** A trigger of the operator raises a failure that otherwise means that PostgreSQL cannot do its work. */
describe('events that PostgreSQL refuses for now while it stores others', () => {
  const writers = useWriters();
  afterEach(() => writers.pool.query('drop function if exists refuse() cascade'));

  const refuseWith = (sqlState: string, condition = `new.type = '${REFUSED}'`) =>
    writers.pool.query(`
      create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'not this one' using errcode = '${sqlState}'; end $$;
      create trigger refuse before insert on events for each row when (${condition}) execute function refuse()`);

  /** Returns how many connections `work` takes out of the pool. */
  const connectionsOf = async (work: () => Promise<unknown>): Promise<number> => {
    let taken = 0;
    const count = (): void => void (taken += 1);
    writers.pool.on('acquire', count);
    await work().finally(() => writers.pool.off('acquire', count));
    return taken;
  };

  it.each(['42501', '25006', '42P01'])('I10: only the one with SQLSTATE %s gets 503', async (sqlState) => {
    await refuseWith(sqlState);
    const writer = writerTo(writers.pool, new Metrics());
    const others = Array.from({ length: 99 }, () => prepared());
    const writes = others.map((event) => writer.write(event));
    const refused = writer.write(prepared({ eventType: REFUSED }));
    const stream = writer.writeWhenRoom([prepared(), prepared({ eventType: REFUSED }), prepared()]);
    await expect(refused).rejects.toMatchObject(UNAVAILABLE);
    expect(kinds(await Promise.all(writes))).toEqual(others.map(() => 'accepted'));
    expect(await stream).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: UNAVAILABLE },
      { status: 'fulfilled' },
    ]);
    await expect(countRows(writers.pool, `events where type = '${REFUSED}'`)).resolves.toBe(0);
  });

  it.each(['P0001', 'XX000'])(
    'I10: only the one with SQLSTATE %s, which nobody expects, gets its error',
    async (sqlState) => {
      await refuseWith(sqlState);
      const writer = writerTo(writers.pool, new Metrics());
      const writes = Array.from({ length: 30 }, () => writer.write(prepared()));
      await expect(writer.write(prepared({ eventType: REFUSED }))).rejects.toMatchObject({ code: sqlState });
      expect(kinds(await Promise.all(writes))).toEqual(writes.map(() => 'accepted'));
    },
  );

  it('wakes the publisher for the others of its request', async () => {
    await refuseWith('42501');
    const wakeUp = new LocalWakeUp();
    let signals = 0;
    wakeUp.listen(() => (signals += 1));
    const intake = new Intake(writerTo(writers.pool), wakeUp);
    const request = [prepared(), prepared({ eventType: REFUSED }), prepared()];
    await expect(intake.acceptTogether(request)).rejects.toMatchObject(UNAVAILABLE);
    expect(signals).toBe(1);
  });

  it('does not fail the events that wait behind it, and is not repeated', async () => {
    await refuseWith('42501');
    const writer = writerTo(writers.pool, new Metrics());
    const refused = writer.write(prepared({ eventType: REFUSED }));
    const behind = new Promise((resolve) => setImmediate(resolve)).then(() => writer.write(prepared()));
    await expect(refused).rejects.toMatchObject(UNAVAILABLE);
    await expect(behind).resolves.toMatchObject({ kind: 'accepted' });
    const one = [prepared({ eventType: REFUSED })];
    await expect(connectionsOf(() => storeBatch(writers.pool, one))).resolves.toBe(2); // for it, and for the made-up one
  });

  it('is stored when it is sent again after the cause is gone', async () => {
    await refuseWith('42501');
    const event = prepared({ eventType: REFUSED });
    expect(kinds(await storeBatch(writers.pool, [prepared(), event]))).toEqual(['accepted', 'failed']);
    await writers.pool.query('drop function refuse() cascade');
    expect(kinds(await storeBatch(writers.pool, [prepared(), event]))).toEqual(['accepted', 'accepted']);
  });

  it('a twin of a refused event is refused as well', async () => {
    await refuseWith('42501');
    const batch = [...twins(2, { eventType: REFUSED }), prepared()];
    expect(kinds(await storeBatch(writers.pool, batch))).toEqual(['failed', 'failed', 'accepted']);
  });

  it('tells a bounded number of events apart', async () => {
    await refuseWith('42501');
    const batch = [prepared(), ...Array.from({ length: 499 }, () => prepared({ eventType: REFUSED }))];
    let stored: string[] = [];
    const taken = await connectionsOf(async () => (stored = kinds(await storeBatch(writers.pool, batch))));
    expect(stored).toEqual(['accepted', ...Array.from({ length: 499 }, () => 'failed')]);
    expect(taken).toBeLessThan(250);
  });

  it('a failure that any event meets is an outage: nothing is tried alone', async () => {
    await refuseWith('42501', 'true');
    const batch = Array.from({ length: 100 }, () => prepared());
    const taken = await connectionsOf(() =>
      expect(storeBatch(writers.pool, batch)).rejects.toMatchObject({ code: 'storage-unavailable' }),
    );
    expect(taken).toBe(8); // four tries, each followed by the made-up event
  });
});
