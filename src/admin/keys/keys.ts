import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { ActingOperator } from '../../access/acting-operator';
import { mintCredential } from '../../access/identity/credential';
import { parseInstant } from '../../event/instant';
import { Problem } from '../../event/problems';
import { AccessChanges } from '../endpoint/access-changes';
import { cursorAfterKey, decodeKeyCursor } from '../endpoint/paging';
import { refuseOtherTenant } from '../../access/tenant-scope';
import { KnownTenants } from '../tenants/known-tenants';
import { checkNotReserved } from '../tenants/tenants';
import { endKey, listKeys, revokeKey } from './keys.queries';
import type { KeyPath, KeyRequest, KeysQuery } from './keys.requests';
import type { KeysPage, NewKeyResponse } from './keys.responses';
import { insertWithinLimits } from './live-keys';

/** Creates, rotates, revokes and lists the API keys of tenants. */
@Injectable()
export class Keys {
  constructor(
    private readonly pool: Pool,
    private readonly changes: AccessChanges,
    private readonly known: KnownTenants,
  ) {}

  async list(tenantId: string, { cursor, limit }: KeysQuery, acting: ActingOperator): Promise<KeysPage> {
    refuseOtherTenant(acting, tenantId);
    await this.known.check(this.pool, tenantId);
    const before = cursor === undefined ? null : (decodeKeyCursor('keys', cursor, 1)[0] as string);
    const keys = await listKeys(this.pool, { tenantId, before, limit });
    return { keys, nextCursor: cursorAfterKey('keys', keys, limit) };
  }

  async create(tenantId: string, request: KeyRequest, acting: ActingOperator): Promise<NewKeyResponse> {
    refuseOtherTenant(acting, tenantId);
    checkNotReserved(tenantId);
    const { id, text, digest } = mintCredential('sfk');
    const { name, scopes, allow = null } = request;
    const expiresAt = parseInstant(request.expiresAt ?? '')?.utc ?? null;
    const fresh = { id, tenantId, name, scopes, allow, expiresAt };
    const change = { action: 'key.create', filter: fresh, acting, tenantIds: [tenantId] } as const;
    const created = await this.changes.run(change, async (db) => {
      await this.known.check(db, tenantId);
      return insertWithinLimits(db, { ...fresh, digest, createdBy: acting.name });
    });
    return { ...created, key: text };
  }

  /** The second key has the rights of the first one, and the end that the first one would have without a rotation. */
  async rotate({ tenantId, id }: KeyPath, overlapSeconds: number, acting: ActingOperator): Promise<NewKeyResponse> {
    refuseOtherTenant(acting, tenantId);
    const { id: newId, text, digest } = mintCredential('sfk');
    const filter = { tenantId, id, newId, overlapSeconds };
    const change = { action: 'key.rotate', filter, acting, tenantIds: [tenantId] } as const;
    const created = await this.changes.run(change, async (db) => {
      const rights = (await endKey(db, { tenantId, id, overlapSeconds })) ?? noSuchKey();
      return insertWithinLimits(db, { ...rights, id: newId, tenantId, digest, createdBy: acting.name });
    });
    return { ...created, key: text };
  }

  async revoke({ tenantId, id }: KeyPath, acting: ActingOperator): Promise<void> {
    refuseOtherTenant(acting, tenantId);
    const change = { action: 'key.revoke', filter: { tenantId, id }, acting, tenantIds: [tenantId] } as const;
    await this.changes.run(change, async (db) => {
      if (!(await revokeKey(db, { tenantId, id }))) noSuchKey();
    });
  }
}

function noSuchKey(): never {
  throw new Problem('key-not-found', 'This tenant has no live API key with this id.');
}
