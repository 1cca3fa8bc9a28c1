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
import type { AdminChange } from '../audit/audit.queries';
import { AdminActions } from '../endpoint/admin-actions';
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
  ) {}

  async find(id: string): Promise<SealedDestination> {
    return (await findDestination(this.pool, id)) ?? notFound();
  }

  async create(
    request: DestinationRequest,
    correlationId: string,
  ): Promise<{ destination: SealedDestination; secret: string }> {
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
      correlationId,
    } as const;
    return { destination: await this.audited(change, (db) => insertWithinLimits(db, fresh)), secret };
  }

  async change(
    id: string,
    { url, ...rest }: DestinationChangeRequest,
    correlationId: string,
  ): Promise<SealedDestination> {
    const change = url === undefined ? rest : { ...rest, url: await this.url.accept(url) };
    return this.audited({ action: 'destination.change', filter: { id, ...change }, correlationId }, async (db) => {
      return (await changeDestination(db, id, change)) ?? notFound();
    });
  }

  async delete(id: string, correlationId: string): Promise<void> {
    await this.audited({ action: 'destination.delete', filter: { id }, correlationId }, async (db) => {
      if (!(await deleteDestination(db, id))) notFound();
    });
  }

  async rotate(
    id: string,
    overlapSeconds: number,
    correlationId: string,
  ): Promise<{ destination: SealedDestination; secret: string }> {
    const secret = newSecret();
    const sealed = (await this.key.box()).seal(secret, id);
    const change = { action: 'destination.rotate-secret', filter: { id, overlapSeconds }, correlationId } as const;
    const destination = await this.audited(change, async (db) => {
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
