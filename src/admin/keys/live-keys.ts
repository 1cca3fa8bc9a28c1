import type { Db } from '../../db/pool';
import { Problem } from '../../event/problems';
import { countKeys, insertKey, revokeLongExpired, type ApiKey, type NewKey } from './keys.queries';

const MOST_OF_TENANT = 20;
/** Each api process holds all keys in memory, about 400 bytes each. */
const MOST_OF_INSTALLATION = 100_000;

/**
 * Inserts a key if there is a place for it. The caller holds the lock of all access changes, so that two requests
 * cannot both take the last place.
 * @throws Problem `too-many-credentials`
 */
export async function insertWithinLimits(db: Db, key: NewKey): Promise<ApiKey> {
  await revokeLongExpired(db, key.tenantId);
  const { ofTenant, ofInstallation } = await countKeys(db, key.tenantId);
  if (ofTenant >= MOST_OF_TENANT || ofInstallation >= MOST_OF_INSTALLATION) {
    const detail = `The maximum is ${MOST_OF_TENANT} live keys per tenant and ${MOST_OF_INSTALLATION} per installation. Revoke a key first.`;
    throw new Problem('too-many-credentials', detail);
  }
  return insertKey(db, key);
}
