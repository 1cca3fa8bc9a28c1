import { Logger } from '@nestjs/common';
import { insertBackfill } from '../../../src/admin/replays/backfill.queries';
import { insertReplayEvents } from '../../../src/admin/replays/replay-events.queries';
import { ReplayLoop } from '../../../src/admin/replays/replay-loop';
import { insertReplay } from '../../../src/admin/replays/replay.queries';
import { uuidV7, uuidV7Floor } from '../../../src/event/uuid-v7';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { givenDestinationRow } from '../../support/deliveries';
import { useDatabase } from '../../support/fixtures/database';
import { countRows, givenAttempt, givenEvent, setEntries } from '../../support/rows';

describe('the loop of replays', () => {
  const database = useDatabase();
  let loop: ReplayLoop;
  let logged: jest.SpyInstance;
  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    loop = new ReplayLoop(database.pool, new LocalWakeUp());
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await database.pool.query('drop function if exists breaks() cascade');
  });

  const breakWhen = (table: string, condition: string) =>
    database.pool.query(`
      create function breaks() returns trigger language plpgsql as $$ begin raise exception 'it is broken'; end $$;
      create trigger breaks before update on ${table}
         for each row when (${condition}) execute function breaks()`);

  const givenReplay = async (mode: 'reprocess' | 'backfill' = 'reprocess'): Promise<string> => {
    const id = uuidV7();
    const request = { id, mode, filter: {}, matched: 1, more: false, requestedBy: 'test', correlationId: 'c' };
    await insertReplay(database.pool, request);
    return id;
  };

  it('I10: goes on with the replays behind one that fails, and tells of it once', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'PUBLISHED');
      await givenAttempt(database.pool, event);
      const id = await givenReplay();
      await insertReplayEvents(database.pool, id, [event.id]);
      ids.push(id);
    }
    await breakWhen('replay_events', `new.replay_id = '${ids[0]}'`);
    await loop.runOnce();
    await loop.runOnce();
    const dispatched = (id: string | undefined) =>
      countRows(database.pool, `replay_events where replay_id = '${id}' and outcome = 'DISPATCHED'`);
    await expect(Promise.all(ids.map(dispatched))).resolves.toEqual([0, 1, 1]);
    expect(logged.mock.calls).toMatchObject([[{ msg: `a step of replay ${ids[0]} failed and is repeated` }]]);
  });

  it('I10: goes on with the backfills behind one that fails', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      const destinationId = await givenDestinationRow(database.pool);
      const replayId = await givenReplay('backfill');
      const range = {
        type: null,
        position: uuidV7Floor(0),
        below: uuidV7Floor(1),
        remaining: null,
        ratePerSecond: null,
      };
      await insertBackfill(database.pool, { replayId, destinationId, ...range });
      ids.push(replayId);
    }
    await breakWhen('backfills', `new.replay_id = '${ids[0]}'`);
    await loop.runOnce();
    const finished = (id: string | undefined) =>
      countRows(database.pool, `backfills where replay_id = '${id}' and finished_at is not null`);
    await expect(Promise.all(ids.map(finished))).resolves.toEqual([0, 1]);
    expect(logged.mock.calls).toMatchObject([[{ msg: `a step of backfill ${ids[0]} failed and is repeated` }]]);
  });
});
