import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { Db } from '../../db/pool';
import { DESTINATION_LIMITS, type SealedDestination } from '../../destinations/destination';
import { MOST_AGE_MS } from '../../db/fresh-copy';
import {
  changeDestination,
  countDestinations,
  deleteDestination,
  findDestination,
  insertDestination,
  rotateSecret,
  type NewDestination,
} from '../../destinations/destinations.queries';
import { newSecret } from '../../destinations/secrets/secret-box';
import { SecretKey } from '../../destinations/secrets/secret-key';
import { Problem } from '../../event/problems';
import { uuidV7 } from '../../event/uuid-v7';
import { mayActFor, type ActingOperator } from '../../access/acting-operator';
import type { AdminChange } from '../audit/audit.queries';
import { refuseOtherTenant } from '../../access/tenant-scope';
import { AdminActions } from '../endpoint/admin-actions';
import { KnownTenants } from '../tenants/known-tenants';
import type { DestinationChangeRequest, DestinationRequest } from './destinations.requests';
import { DestinationUrl } from './destination-url';

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
    private readonly key: SecretKey,
    private readonly url: DestinationUrl,
    private readonly known: KnownTenants,
  ) {}

  /** @throws Problem `destination-not-found`, also for a destination of a tenant that the operator may not see */
  async find(id: string, acting: ActingOperator): Promise<SealedDestination> {
    const found = await findDestination(this.pool, id);
    return found && mayActFor(acting, found.tenantId) ? found : notFound();
  }

  /** @throws Problem `tenant-not-found` for a tenant that the operator may not see */
  async create(
    request: DestinationRequest,
    acting: ActingOperator,
  ): Promise<{ destination: SealedDestination; secret: string }> {
    refuseOtherTenant(acting, request.tenantId);
    const url = await this.url.accept(request.url);
    const [id, secret] = [uuidV7(), newSecret()];
    const fresh: NewDestination = {
      id,
      tenantId: request.tenantId,
      url,
      eventTypes: request.eventTypes ?? ['*'],
      enabled: request.enabled ?? true,
      description: request.description ?? '',
      timeoutMs: request.timeoutMs ?? DESTINATION_LIMITS.timeoutMs.default,
      maxInFlight: request.maxInFlight ?? DESTINATION_LIMITS.maxInFlight.default,
      secret: (await this.key.box()).seal(secret, id),
    };
    const change = {
      action: 'destination.create',
      filter: { id, tenantId: request.tenantId, url },
      acting,
      tenantIds: [request.tenantId],
    } as const;
    const destination = await this.audited(change, async (db) => {
      await this.known.check(db, request.tenantId);
      return insertWithinLimits(db, fresh);
    });
    return { destination, secret };
  }

  async change(
    id: string,
    { url, ...rest }: DestinationChangeRequest,
    acting: ActingOperator,
  ): Promise<SealedDestination> {
    const { tenantId } = await this.find(id, acting);
    const change = url === undefined ? rest : { ...rest, url: await this.url.accept(url) };
    const entry = { action: 'destination.change', filter: { id, ...change }, acting, tenantIds: [tenantId] } as const;
    return this.audited(entry, async (db) => (await changeDestination(db, id, change)) ?? notFound());
  }

  async delete(id: string, acting: ActingOperator): Promise<void> {
    const { tenantId } = await this.find(id, acting);
    const entry = { action: 'destination.delete', filter: { id }, acting, tenantIds: [tenantId] } as const;
    await this.audited(entry, async (db) => {
      if (!(await deleteDestination(db, id))) notFound();
    });
  }

  async rotate(
    id: string,
    overlapSeconds: number,
    acting: ActingOperator,
  ): Promise<{ destination: SealedDestination; secret: string }> {
    const { tenantId } = await this.find(id, acting);
    const secret = newSecret();
    const sealed = (await this.key.box()).seal(secret, id);
    const filter = { id, overlapSeconds };
    const entry = { action: 'destination.rotate-secret', filter, acting, tenantIds: [tenantId] } as const;
    const destination = await this.audited(entry, async (db) => {
      return (await rotateSecret(db, id, { secret: sealed, overlapSeconds })) ?? notFound();
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

async function insertWithinLimits(db: Db, fresh: NewDestination): Promise<SealedDestination> {
  const { ofTenant, ofInstallation } = await countDestinations(db, fresh.tenantId);
  const { ofTenant: mostOfTenant, ofInstallation: most } = DESTINATION_LIMITS;
  if (ofTenant >= mostOfTenant || ofInstallation >= most) {
    const detail = `The maximum is ${mostOfTenant} destinations per tenant and ${most} per installation. Delete a destination first.`;
    throw new Problem('too-many-destinations', detail);
  }
  return insertDestination(db, fresh);
}

const everyProcessHasRefreshed = (): Promise<void> => sleep(MOST_AGE_MS);

function notFound(): never {
  throw new Problem('destination-not-found', 'No destination has this id.');
}
