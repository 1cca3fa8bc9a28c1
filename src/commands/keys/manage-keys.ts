import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import type { ActingOperator } from '../../access/acting-operator';
import { AccessChanges } from '../../admin/endpoint/access-changes';
import { AdminActions } from '../../admin/endpoint/admin-actions';
import { AdminTransactions } from '../../admin/endpoint/admin-transactions';
import { Keys } from '../../admin/keys/keys';
import { findTenantOfKey } from '../../admin/keys/keys.queries';
import { KeyRequest } from '../../admin/keys/keys.requests';
import { KnownTenants } from '../../admin/tenants/known-tenants';
import { Tenants } from '../../admin/tenants/tenants';
import { findTenant } from '../../admin/tenants/tenants.queries';
import { TenantRequest } from '../../admin/tenants/tenants.requests';
import type { Settings } from '../../config/settings';
import { readClock } from '../../db/clock.queries';
import { closePool } from '../../db/close-pool';
import { createPool } from '../../db/pool';
import { Problem } from '../../event/problems';
import { followClock } from '../../event/time-of-day';
import { uuidV7 } from '../../event/uuid-v7';
import { createValidationPipe } from '../../http/validation';
import { say, UsageError } from '../../runtime/command';
import { printKeys } from './print-keys';

export interface KeyOptions {
  tenant?: string | undefined;
  name?: string | undefined;
  scopes: string;
  expires?: string | undefined;
  allow?: string | undefined;
}

/** What stands in the audit trail for changes by this command. No operator may have the name. */
const cli = (): ActingOperator => ({
  kind: 'operator',
  id: null,
  name: 'cli',
  role: 'owner',
  tenantIds: null,
  address: hostname(),
  correlationId: uuidV7(),
});

/** Carries out `npm run keys`, by the rules of the admin endpoints. */
export async function manageKeys(
  options: KeyOptions,
  databaseUrl: string,
  settings: Settings,
  [action, ...operands]: string[],
): Promise<void> {
  const id = operands[0];
  const isComplete = action === 'revoke' ? operands.length === 1 : operands.length === 0;
  if (!isComplete || action === undefined) throw new UsageError('Say create, list, or revoke and the id of a key.');
  Logger.overrideLogger(['error', 'fatal']); // other levels would stand beside the key on stdout
  const pool = createPool(databaseUrl, 'streamforge keys');
  try {
    followClock(await readClock(pool)); // for expiry dates, and for the order of the audit trail
    const changes = new AccessChanges(new AdminActions(new AdminTransactions(pool)));
    const keys = new Keys(pool, changes, new KnownTenants(settings));
    if (action === 'create') await create(options, keys, new Tenants(pool, changes), (of) => findTenant(pool, of));
    else if (action === 'list') await printKeys(pool, options.tenant ?? null);
    else if (action === 'revoke' && id !== undefined) await revoke(id, keys, (of) => findTenantOfKey(pool, of));
    else throw new UsageError(`There is no action ${action}. Say create, list or revoke.`);
  } finally {
    await closePool(pool);
  }
}

async function create(
  { tenant, name, scopes, expires, allow }: KeyOptions,
  keys: Keys,
  tenants: Tenants,
  find: (id: string) => Promise<object | undefined>,
): Promise<void> {
  if (tenant === undefined || name === undefined) throw new UsageError('create needs --tenant and --name.');
  const request = await validated(KeyRequest, {
    name,
    scopes: scopes.split(','),
    ...(expires === undefined ? {} : { expiresAt: expires }),
    ...(allow === undefined ? {} : { allow: allow.split(',') }),
  });
  const registration = await validated(TenantRequest, { id: tenant, name: tenant });
  const isNew = !(await find(tenant));
  if (isNew) await tenants.create(registration, cli());
  const { id, key } = await keys.create(tenant, request, cli());
  // Only the key goes to stdout, so that a script can take it.
  if (isNew) process.stderr.write(`The tenant ${tenant} is registered.\n`);
  process.stderr.write(`The key ${id} of the tenant ${tenant}. It is not shown again:\n`);
  say(key);
}

async function revoke(id: string, keys: Keys, tenantOf: (id: string) => Promise<string | undefined>): Promise<void> {
  const tenantId = await tenantOf(id);
  if (tenantId === undefined) throw new Error(`No API key has the id ${id}. npm run keys -- list prints the ids.`);
  await keys.revoke({ tenantId, id }, cli());
  say(`The key ${id} of the tenant ${tenantId} is revoked.`);
}

/** Checks options by the rules of the admin endpoint. @throws UsageError */
async function validated<T>(metatype: new () => T, body: object): Promise<T> {
  try {
    return (await createValidationPipe().transform(body, { type: 'body', metatype })) as T;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new UsageError((error.extras.errors ?? []).map(({ message }) => message).join('\n'));
  }
}
