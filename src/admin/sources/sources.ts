import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { mayActFor, type ActingOperator } from '../../access/acting-operator';
import { refuseOtherTenant } from '../../access/tenant-scope';
import { MOST_AGE_MS } from '../../db/fresh-copy';
import type { Db } from '../../db/pool';
import { Problem } from '../../event/problems';
import { deleteSamples } from '../../sources/inspector/samples.queries';
import type { SealedSource } from '../../sources/directory/source';
import { mintToken } from '../../sources/directory/source-token';
import {
  deleteSource,
  findSource,
  findSourceByUid,
  lockSource,
  rotateSourceToken,
} from '../../sources/directory/sources.queries';
import type { AdminChange } from '../audit/audit.queries';
import { AdminActions } from '../endpoint/admin-actions';
import { KnownTenants } from '../tenants/known-tenants';
import { checkNotReserved } from '../tenants/tenants';
import { fieldsOf, secretsCounted } from './source-fields';
import { SourceRows } from './source-rows';
import type {
  RotateSourceSecretRequest,
  RotateTokenRequest,
  SourceByUidRequest,
  SourceChangeRequest,
  SourceRequest,
} from './sources.requests';

/** A source with the token of its URL, which only the response that makes it may show. */
export interface SourceWithToken {
  source: SealedSource;
  token: string;
}

/**
 * Creates, changes and deletes sources, and records each change in the audit trail. Every api process reads a change
 * within MOST_AGE_MS, and a call returns only after that time.
 */
@Injectable()
export class Sources {
  constructor(
    private readonly pool: Pool,
    private readonly actions: AdminActions,
    private readonly rows: SourceRows,
    private readonly known: KnownTenants,
  ) {}

  /** @throws Problem `source-not-found`, also for a source of a tenant that the operator may not see */
  async find(id: string, acting: ActingOperator): Promise<SealedSource> {
    const found = await findSource(this.pool, id);
    return found && mayActFor(acting, found.tenantId) ? found : noSuchSource();
  }

  /** @throws Problem `invalid-request`, `tenant-not-found`, `already-exists` or `too-many-sources` */
  async create(request: SourceRequest, acting: ActingOperator): Promise<SourceWithToken> {
    const { tenantId, secrets = [], ...fields } = request;
    refuseOtherTenant(acting, tenantId);
    checkNotReserved(tenantId);
    const token = mintToken();
    const fresh = await this.rows.fresh({ tenantId, fields: fieldsOf(fields), secrets, token });
    const change = {
      action: 'source.create',
      filter: { id: fresh.id, ...secretsCounted(request) },
      acting,
      tenantIds: [tenantId],
    } as const;
    const source = await this.audited(change, async (db) => {
      await this.known.check(db, tenantId);
      return this.rows.insert(db, fresh);
    });
    return { source, token: token.text };
  }

  /**
   * Creates the source that a tenant calls `uid`, or replaces its fields. Secrets that are left out stay.
   * @returns the source with its token if it was created
   */
  async put(
    uid: string,
    request: SourceByUidRequest,
    acting: ActingOperator,
  ): Promise<SourceWithToken | { source: SealedSource }> {
    refuseOtherTenant(acting, request.tenantId);
    const known = await findSourceByUid(this.pool, request.tenantId, uid);
    if (known) return { source: await this.replace(known.id, uid, request, acting) };
    try {
      return await this.create({ ...request, uid }, acting);
    } catch (error) {
      const twin = isTaken(error) ? await findSourceByUid(this.pool, request.tenantId, uid) : undefined;
      if (!twin) throw error;
      return { source: await this.replace(twin.id, uid, request, acting) };
    }
  }

  private replace(id: string, uid: string, request: SourceByUidRequest, acting: ActingOperator): Promise<SealedSource> {
    const { tenantId, secrets, ...fields } = request;
    const next = fieldsOf({ ...fields, uid });
    const filter = { id, uid, ...secretsCounted(request) };
    const entry = { action: 'source.change', filter, acting, tenantIds: [tenantId] } as const;
    return this.audited(entry, async (db) =>
      this.rows.replace(db, (await lockSource(db, id)) ?? noSuchSource(), next, secrets),
    );
  }

  async change(id: string, change: SourceChangeRequest, acting: ActingOperator): Promise<SealedSource> {
    const { tenantId } = await this.find(id, acting);
    const filter = { id, ...secretsCounted(change) };
    const entry = { action: 'source.change', filter, acting, tenantIds: [tenantId] } as const;
    return this.audited(entry, async (db) =>
      this.rows.change(db, (await lockSource(db, id)) ?? noSuchSource(), change),
    );
  }

  async delete(id: string, acting: ActingOperator): Promise<void> {
    const { tenantId } = await this.find(id, acting);
    const entry = { action: 'source.delete', filter: { id }, acting, tenantIds: [tenantId] } as const;
    await this.audited(entry, async (db) => {
      if (!(await deleteSource(db, id))) noSuchSource();
      await deleteSamples(db, id);
    });
  }

  async rotateToken(id: string, request: RotateTokenRequest, acting: ActingOperator): Promise<SourceWithToken> {
    const { tenantId } = await this.find(id, acting);
    const { text: token, digest: tokenDigest, hint: tokenHint } = mintToken();
    const { overlapSeconds, keepPrevious } = request;
    const filter = { id, overlapSeconds, ...(keepPrevious && { keepPrevious }) };
    const change = { tokenDigest, tokenHint, overlapSeconds, keepPrevious };
    const entry = { action: 'source.rotate-token', filter, acting, tenantIds: [tenantId] } as const;
    const source = await this.audited(entry, async (db) => (await rotateSourceToken(db, id, change)) ?? noSuchSource());
    return { source, token };
  }

  async rotateSecret(id: string, request: RotateSourceSecretRequest, acting: ActingOperator): Promise<SealedSource> {
    const { tenantId } = await this.find(id, acting);
    const { secret, overlapSeconds } = request;
    const filter = { id, overlapSeconds };
    const entry = { action: 'source.rotate-secret', filter, acting, tenantIds: [tenantId] } as const;
    return this.audited(entry, async (db) =>
      this.rows.rotateSecret(db, (await lockSource(db, id)) ?? noSuchSource(), secret, overlapSeconds),
    );
  }

  private async audited<T>(change: AdminChange, work: (db: Db) => Promise<T>): Promise<T> {
    const outcome = await this.actions.run({
      ...change,
      work: async (db) => ({ result: await work(db), counts: { matched: 1 } }),
    });
    if (outcome.repeated) throw new Error('a change without an idempotency key was repeated');
    await everyProcessHasRead();
    return outcome.result;
  }
}

const everyProcessHasRead = (): Promise<void> => sleep(MOST_AGE_MS);

/** Another request has created the source meanwhile. */
const isTaken = (error: unknown): boolean => error instanceof Problem && error.code === 'already-exists';

export function noSuchSource(): never {
  throw new Problem('source-not-found', 'No source has this id.');
}
