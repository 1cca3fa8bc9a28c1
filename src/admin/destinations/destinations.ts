import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { Db } from '../../db/pool';
import { closeDestination } from '../../delivery-state/close-destination.queries';
import { forgetFailures } from '../../delivery-state/destination-failures.queries';
import type { SealedDestination } from '../../destinations/destination';
import { MOST_AGE_MS } from '../../db/fresh-copy';
import {
  deleteDestination,
  findDestination,
  findDestinationByUid,
  lockDestination,
  pauseDestination,
} from '../../destinations/destinations.queries';
import { newSecret } from '../../destinations/secrets/secret-box';
import { Problem } from '../../event/problems';
import { uuidV7 } from '../../event/uuid-v7';
import { mayActFor, type ActingOperator } from '../../access/acting-operator';
import type { AdminChange } from '../audit/audit.queries';
import { refuseOtherTenant } from '../../access/tenant-scope';
import { AdminActions } from '../endpoint/admin-actions';
import { KnownTenants } from '../tenants/known-tenants';
import { changedDestination, destinationFields, auditedRequest } from './destination-fields';
import { DestinationRows } from './destination-rows';
import type { DestinationByUidRequest, DestinationChangeRequest, DestinationRequest } from './destinations.requests';
import type { RotateSecretRequest } from './rotation.requests';

/**
 * Most open deliveries that disabling or deleting a destination settles at once. A chore (src/outbox/chores.ts) settles
 * the others.
 */
const CLOSED_AT_ONCE = 1_000;

/** A destination with the secret that only the response that makes it may show. */
export interface DestinationWithSecret {
  destination: SealedDestination;
  secret: string;
}

/**
 * Creates, changes and deletes destinations, and records each change in the audit trail. Workers read a change within
 * MOST_AGE_MS (half a second). A call returns only after that time, so every worker applies the change to events that
 * are sent after the response.
 */
@Injectable()
export class Destinations {
  constructor(
    private readonly pool: Pool,
    private readonly actions: AdminActions,
    private readonly rows: DestinationRows,
    private readonly known: KnownTenants,
  ) {}

  /** @throws Problem `destination-not-found`, also for a destination of a tenant that the operator may not see */
  async find(id: string, acting: ActingOperator): Promise<SealedDestination> {
    const found = await findDestination(this.pool, id);
    return found && mayActFor(acting, found.tenantId) ? found : notFound();
  }

  /** @throws Problem `tenant-not-found` also for a tenant that the operator may not see */
  async create(request: DestinationRequest, acting: ActingOperator): Promise<DestinationWithSecret> {
    const { tenantId } = request;
    refuseOtherTenant(acting, tenantId);
    const { secret = newSecret(), headers, auth, ...fields } = await this.rows.withAcceptedUrls(request);
    const id = uuidV7();
    const fresh = await this.rows.fresh({
      id,
      tenantId,
      fields: destinationFields(fields),
      given: { headers, auth },
      secret,
    });
    const filter = { id, ...auditedRequest(request), url: fresh.url };
    const entry = { action: 'destination.create', filter, acting, tenantIds: [tenantId] } as const;
    const destination = await this.audited(entry, async (db) => {
      await this.known.check(db, tenantId);
      return this.rows.insert(db, fresh);
    });
    return { destination, secret };
  }

  /**
   * Creates the destination that a tenant calls `uid`, or replaces its fields. Secret, headers and credentials that are
   * left out stay.
   * @returns the destination with its secret if it was created
   */
  async put(
    uid: string,
    request: DestinationByUidRequest,
    acting: ActingOperator,
  ): Promise<DestinationWithSecret | { destination: SealedDestination }> {
    refuseOtherTenant(acting, request.tenantId);
    const known = await findDestinationByUid(this.pool, request.tenantId, uid);
    if (known) return { destination: await this.replace(known.id, uid, request, acting) };
    try {
      return await this.create({ ...request, uid }, acting);
    } catch (error) {
      const twin = isTaken(error) ? await findDestinationByUid(this.pool, request.tenantId, uid) : undefined;
      if (!twin) throw error;
      return { destination: await this.replace(twin.id, uid, request, acting) };
    }
  }

  private async replace(
    id: string,
    uid: string,
    request: DestinationByUidRequest,
    acting: ActingOperator,
  ): Promise<SealedDestination> {
    const { tenantId, secret, headers, auth, ...fields } = await this.rows.withAcceptedUrls(request);
    const filter = { id, uid, ...auditedRequest(request) };
    const entry = { action: 'destination.change', filter, acting, tenantIds: [tenantId] } as const;
    return this.audited(entry, async (db) => {
      const locked = (await lockDestination(db, id)) ?? notFound();
      const next = destinationFields({ ...fields, uid });
      const isSwitched = next.enabled !== locked.enabled;
      const replaced = await this.rows.replace(db, locked, next, { headers, auth }, isSwitched);
      await startAfresh(db, id);
      return secret === undefined ? replaced : this.rows.replaceSecret(db, replaced, secret);
    });
  }

  async change(id: string, change: DestinationChangeRequest, acting: ActingOperator): Promise<SealedDestination> {
    const { tenantId } = await this.find(id, acting);
    const accepted = await this.rows.withAcceptedUrls(change);
    const { headers, auth } = accepted;
    const filter = { id, ...auditedRequest(accepted) };
    const entry = { action: 'destination.change', filter, acting, tenantIds: [tenantId] } as const;
    return this.audited(entry, async (db) => {
      const locked = (await lockDestination(db, id)) ?? notFound();
      const isSwitched = change.enabled !== undefined;
      const next = changedDestination(locked, accepted);
      const changed = await this.rows.replace(db, locked, next, { headers, auth }, isSwitched);
      await startAfresh(db, id);
      return changed;
    });
  }

  async delete(id: string, acting: ActingOperator): Promise<void> {
    const { tenantId } = await this.find(id, acting);
    const entry = { action: 'destination.delete', filter: { id }, acting, tenantIds: [tenantId] } as const;
    await this.audited(entry, async (db) => {
      if (!(await deleteDestination(db, id))) notFound();
      await startAfresh(db, id);
    });
  }

  /** While a destination is paused, its deliveries are recorded and wait. */
  async pause(id: string, paused: boolean, acting: ActingOperator): Promise<SealedDestination> {
    const { tenantId } = await this.find(id, acting);
    const action = paused ? 'destination.pause' : 'destination.resume';
    const entry = { action, filter: { id }, acting, tenantIds: [tenantId] } as const;
    return this.audited(entry, async (db) => {
      const changed = (await pauseDestination(db, id, paused)) ?? notFound();
      if (!paused) await startAfresh(db, id);
      return changed;
    });
  }

  async rotate(
    id: string,
    { overlapSeconds, keepPrevious, secret = newSecret() }: RotateSecretRequest,
    acting: ActingOperator,
  ): Promise<DestinationWithSecret> {
    const { tenantId } = await this.find(id, acting);
    const filter = { id, overlapSeconds, ...(keepPrevious && { keepPrevious }) };
    const entry = { action: 'destination.rotate-secret', filter, acting, tenantIds: [tenantId] } as const;
    const destination = await this.audited(entry, async (db) => {
      const locked = (await lockDestination(db, id)) ?? notFound();
      const rotated = await this.rows.rotateSecret(db, locked, { secret, overlapSeconds, keepPrevious });
      await startAfresh(db, id);
      return rotated;
    });
    return { destination, secret };
  }

  private async audited<T>(change: AdminChange, work: (db: Db) => Promise<T>): Promise<T> {
    const outcome = await this.actions.run({
      ...change,
      work: async (db) => ({ result: await work(db), counts: { matched: 1 } }),
    });
    if (outcome.repeated) throw new Error('a change without an idempotency key was repeated');
    await everyProcessHasRefreshed();
    return outcome.result;
  }
}

const everyProcessHasRefreshed = (): Promise<void> => sleep(MOST_AGE_MS);

/**
 * Settles the open deliveries of a destination that is disabled or deleted now. Forgets its failures, which say nothing
 * about the changed destination and would disable it again. Workers lock failures after deliveries too.
 */
async function startAfresh(db: Db, id: string): Promise<void> {
  await closeDestination(db, id, CLOSED_AT_ONCE);
  await forgetFailures(db, [id]);
}

/** Another request has created the destination meanwhile. */
const isTaken = (error: unknown): boolean => error instanceof Problem && error.code === 'already-exists';

function notFound(): never {
  throw new Problem('destination-not-found', 'No destination has this id.');
}
