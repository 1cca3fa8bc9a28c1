import { uuidV7 } from '../../../src/event/uuid-v7';
import { insertRevision, listRevisions, readRevisions, textOfKey } from '../../../src/revisions/revisions.queries';
import { createTestDatabase, type TestDatabase } from '../../support/database';

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

const HASH = 'ab'.repeat(32);
const revised = (eventId: string, revision: number, payloadJson: string) => ({
  eventId,
  revision,
  payloadJson,
  hash: HASH,
  sizeBytes: payloadJson.length,
  note: null,
  actor: 'ada',
});

describe('revisions', () => {
  it('keep the payload as it was sent, and are listed from the oldest on', async () => {
    const { pool } = database;
    const eventId = uuidV7();
    const exact = '{ "b": 10.10, "a": 12345678901234567890, "b": 1 }';
    await insertRevision(pool, revised(eventId, 3, exact));
    await insertRevision(pool, revised(eventId, 2, '{}'));
    await insertRevision(pool, revised(uuidV7(), 2, '{}'));
    const listed = await listRevisions(pool, eventId);
    expect(listed.map(({ revision, payloadJson }) => [revision, payloadJson])).toEqual([
      [2, '{}'],
      [3, exact],
    ]);
    expect(listed[1]).toMatchObject({ eventId, hash: HASH, sizeBytes: exact.length, actor: 'ada', erasedAt: null });
  });

  it('are read by event and number together', async () => {
    const { pool } = database;
    const [a, b] = [uuidV7(), uuidV7()];
    for (const [eventId, revision] of [
      [a, 2],
      [a, 3],
      [b, 2],
      [b, 3],
    ] as const)
      await insertRevision(pool, revised(eventId, revision, `"${revision}"`));
    const asked = [
      { eventId: a, revision: 3 },
      { eventId: b, revision: 2 },
      { eventId: uuidV7(), revision: 2 },
    ];
    const found = await readRevisions(pool, asked);
    expect([...found.keys()].sort()).toEqual(asked.slice(0, 2).map(textOfKey).sort());
    expect(found.get(textOfKey(asked[0] as (typeof asked)[0]))?.payloadJson).toBe('"3"');
  });

  it('cannot have the number of another one, or of the event as it was sent', async () => {
    const eventId = uuidV7();
    await insertRevision(database.pool, revised(eventId, 2, '1'));
    await expect(insertRevision(database.pool, revised(eventId, 2, '1'))).rejects.toThrow('duplicate key');
    await expect(insertRevision(database.pool, revised(eventId, 1, '1'))).rejects.toThrow('check constraint');
  });
});
