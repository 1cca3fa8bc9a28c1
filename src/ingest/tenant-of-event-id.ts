import type { Db } from '../db/pool';
import { Problem } from '../event/problems';
import type { TenantIds } from '../access/acting-operator';
import { findTenantsOfWithEventId, findTenantsWithEventId, type NamedEvent } from './tenants-with-event-id.queries';

/** Maximum number of tenants that a problem names. */
const TENANTS_NAMED = 100;

/**
 * For an operator who names no tenant: returns the only one of these tenants that has an event with this eventId, or
 * undefined when there is none. Null: all tenants.
 * @throws Problem `event-id-ambiguous`, or `tenant-required` when there are too many tenants to search
 */
export async function tenantOfEventId(db: Db, event: NamedEvent, tenantIds: TenantIds): Promise<string | undefined> {
  const { tenants, isComplete } = tenantIds
    ? await findTenantsOfWithEventId(db, event, tenantIds, TENANTS_NAMED)
    : await findTenantsWithEventId(db, event, TENANTS_NAMED);
  if (tenants.length > 1) {
    throw new Problem('event-id-ambiguous', 'Several tenants have an event with this eventId. Send X-Tenant-Id.', {
      members: { tenants },
    });
  }
  if (!isComplete) {
    throw new Problem(
      'tenant-required',
      'There are too many tenants to search. Send X-Tenant-Id, or the id of the event.',
    );
  }
  return tenants[0];
}
