import type { Pool } from 'pg';
import type { Db } from '../../db/pool';
import type { OrderedKey } from '../../event/ordered-key';
import { ADVISORY_LOCKS, underTransactionLock } from '../../db/advisory-locks';
import { withPlansByIndex } from '../plans-by-index.queries';
import { forgetSettledEvents, forgetUnordered } from './ordered-events.queries';
import { turnKeys } from './turn-keys';
import { forgetEndedFailures, releaseUnordered, takeChangedKeys, takeUncheckedKeys } from './upkeep.queries';

/** A key with open deliveries is looked at this often, whatever happens to it: KEYS_AT_ONCE keys a second. */
const UNCHECKED_SECONDS = 3;
const KEYS_AT_ONCE = 500;
const RELEASED_AT_ONCE = 1_000;

/**
 * Looks at keys that operators have changed, and at those that nobody has looked at lately: a dead letter holds them up no
 * longer, or what should have moved them on was done by the build before. Also releases deliveries of destinations that are
 * not ordered any more, and forgets events that nobody takes in order any more. Returns true if there is more to do at once, or `elsewhere` if another process does it.
 *
 * @param handOn hands on the turns of these keys among the events that are with their handlers; the keys are locked
 */
export async function keepOrder(
  pool: Pool,
  handOn: (db: Db, keys: readonly OrderedKey[]) => Promise<unknown>,
): Promise<boolean | 'elsewhere'> {
  const changed = await underTransactionLock(pool, ADVISORY_LOCKS.orderedKeys, (db) =>
    withPlansByIndex(db, async () => {
      const keys = await takeChangedKeys(db, KEYS_AT_ONCE);
      await lookAt(db, keys, handOn);
      return keys.length;
    }),
  );
  if (changed === 'elsewhere') return changed;
  const checked = await underTransactionLock(pool, ADVISORY_LOCKS.orderedKeys, (db) =>
    withPlansByIndex(db, async () => {
      const keys = await takeUncheckedKeys(db, UNCHECKED_SECONDS, KEYS_AT_ONCE);
      await lookAt(db, keys, handOn);
      return keys.length;
    }),
  );
  if (checked === 'elsewhere') return checked;
  const released = await underTransactionLock(pool, ADVISORY_LOCKS.orderedKeys, (db) =>
    withPlansByIndex(db, async () =>
      Math.max(await releaseUnordered(db, RELEASED_AT_ONCE), await forgetUnordered(db, RELEASED_AT_ONCE)),
    ),
  );
  if (released === 'elsewhere') return released;
  return changed === KEYS_AT_ONCE || released === RELEASED_AT_ONCE; // looks at unchecked keys are no hurry
}

async function lookAt(
  db: Db,
  keys: readonly OrderedKey[],
  handOn: (db: Db, keys: readonly OrderedKey[]) => Promise<unknown>,
): Promise<void> {
  if (keys.length === 0) return;
  await forgetSettledEvents(db, keys);
  await forgetEndedFailures(db, keys);
  await turnKeys(db, keys);
  await handOn(db, keys);
}
