import { randomBytes } from 'node:crypto';
import {
  boxOfAllKeys,
  countSecrets,
  resealSecrets,
  type SealCounts,
} from '../../../src/commands/reseal/sealed-secrets';
import { ofAuth, ofHeaders } from '../../../src/destinations/secrets/sealed-options';
import { SecretBox } from '../../../src/destinations/secrets/secret-box';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { useDatabase } from '../../support/fixtures/database';

describe('reseal', () => {
  const database = useDatabase();
  const [fresh, old, lost] = [randomBytes(32), randomBytes(32), randomBytes(32)] as [Buffer, Buffer, Buffer];
  const box = new SecretBox([fresh, old]);
  beforeEach(async () => {
    await database.pool.query('delete from destinations');
    await database.pool.query('delete from sources');
  });

  async function givenDestination(key: Buffer): Promise<string> {
    const id = uuidV7();
    const sealing = new SecretBox([key]);
    const of = (context: string) => sealing.seal(`${id} as ${context}`, context);
    await database.pool.query(
      `insert into destinations (id, tenant_id, url, event_types, enabled, description, timeout_ms, max_in_flight,
                                 secret, previous_secret, headers, auth)
       values ($1, 'acme', 'https://example.com', '{*}', true, '', 1000, 1, $2, $3, $4, $5)`,
      [id, of(id), of(id), of(ofHeaders(id)), of(ofAuth(id))],
    );
    return id;
  }
  async function openedBy(key: Buffer, id: string): Promise<string[]> {
    const { rows } = await database.pool.query<Record<string, Buffer>>(
      'select secret, previous_secret, headers, auth from destinations where id = $1',
      [id],
    );
    const { secret, previous_secret, headers, auth } = rows[0] as Record<string, Buffer>;
    const opening = new SecretBox([key]);
    const open = (sealed: Buffer | undefined, context: string) => opening.open(sealed as Buffer, context);
    return [open(secret, id), open(previous_secret, id), open(headers, ofHeaders(id)), open(auth, ofAuth(id))];
  }
  async function reseal(): Promise<SealCounts> {
    const total: SealCounts = { first: 0, older: 0, unopened: 0 };
    await resealSecrets(database.pool, box, (found) => {
      for (const name of ['first', 'older', 'unopened'] as const) total[name] += found[name];
    });
    return total;
  }

  it('seals everything with the first key, however many destinations there are, and may be repeated', async () => {
    const ids = [];
    for (let i = 0; i < 105; i++) ids.push(await givenDestination(i % 2 === 0 ? old : fresh));
    expect(await countSecrets(database.pool, box)).toEqual({ first: 208, older: 212, unopened: 0 });
    expect(await reseal()).toEqual({ first: 208, older: 212, unopened: 0 });
    for (const id of ids) {
      expect(await openedBy(fresh, id)).toEqual([id, id, ofHeaders(id), ofAuth(id)].map((c) => `${id} as ${c}`));
    }
    expect(await reseal()).toEqual({ first: 420, older: 0, unopened: 0 });
  });

  it('leaves what no key opens, and says how many that are', async () => {
    const id = await givenDestination(lost);
    expect(await reseal()).toEqual({ first: 0, older: 0, unopened: 4 });
    expect(await openedBy(lost, id)).toHaveLength(4);
  });

  it('opens what the generated key has sealed, when a key was set later', async () => {
    await database.pool.query('update installation set destinations_key = $1', [old]);
    const all = await boxOfAllKeys(database.pool, [fresh]);
    const id = await givenDestination(old);
    await resealSecrets(database.pool, all as SecretBox, () => undefined);
    expect(await openedBy(fresh, id)).toHaveLength(4);
    await database.pool.query('update installation set destinations_key = null');
    expect(await boxOfAllKeys(database.pool, [])).toBeUndefined();
  });
});
