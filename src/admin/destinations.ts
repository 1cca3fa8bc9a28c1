import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { inTransaction } from '../db/pool';
import { DESTINATION_LIMITS, type SealedDestination } from '../destinations/destination';
import { MOST_AGE_MS } from '../destinations/destination-registry';
import {
  changeDestination,
  countDestinations,
  deleteDestination,
  findDestination,
  insertDestination,
  rotateSecret,
  type NewDestination,
} from '../destinations/destinations.queries';
import { newSecret } from '../destinations/secret-box';
import { SecretKey } from '../destinations/secret-key';
import { Problem } from '../event/problems';
import { uuidV7 } from '../event/uuid-v7';
import type { DestinationChangeRequest, DestinationRequest } from './destination.requests';
import { DestinationUrl } from './destination-url';

/**
 * Registers and changes destinations. Each change is answered when every worker heeds it, half a second later: an event
 * that is sent after the answer meets the new state everywhere.
 */
@Injectable()
export class Destinations {
  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(SecretKey) private readonly key: SecretKey,
    @Inject(DestinationUrl) private readonly url: DestinationUrl,
  ) {}

  async find(id: string): Promise<SealedDestination> {
    return (await findDestination(this.pool, id)) ?? notFound();
  }

  async create(request: DestinationRequest): Promise<{ destination: SealedDestination; secret: string }> {
    const url = await this.url.accept(request.url);
    const [id, secret] = [uuidV7(), newSecret()];
    const sealed = (await this.key.box()).seal(secret, id);
    const destination = await this.insertWithinLimits({
      id,
      tenantId: request.tenantId,
      url,
      eventTypes: request.eventTypes ?? ['*'],
      enabled: request.enabled ?? true,
      description: request.description ?? '',
      timeoutMs: request.timeoutMs ?? DESTINATION_LIMITS.timeoutMs.default,
      maxInFlight: request.maxInFlight ?? DESTINATION_LIMITS.maxInFlight.default,
      secret: sealed,
    });
    await heededByAll();
    return { destination, secret };
  }

  async change(id: string, { url, ...rest }: DestinationChangeRequest): Promise<SealedDestination> {
    const change = url === undefined ? rest : { ...rest, url: await this.url.accept(url) };
    const changed = (await changeDestination(this.pool, id, change)) ?? notFound();
    await heededByAll();
    return changed;
  }

  async delete(id: string): Promise<void> {
    if (!(await deleteDestination(this.pool, id))) notFound();
    await heededByAll();
  }

  async rotate(id: string, overlapSeconds: number): Promise<{ destination: SealedDestination; secret: string }> {
    const secret = newSecret();
    const sealed = (await this.key.box()).seal(secret, id);
    const destination = (await rotateSecret(this.pool, id, { secret: sealed, overlapSeconds })) ?? notFound();
    await heededByAll();
    return { destination, secret };
  }

  private insertWithinLimits(fresh: NewDestination): Promise<SealedDestination> {
    return inTransaction(this.pool, async (db) => {
      const { ofTenant, ofInstallation } = await countDestinations(db, fresh.tenantId);
      const { ofTenant: mostOfTenant, ofInstallation: most } = DESTINATION_LIMITS;
      if (ofTenant >= mostOfTenant || ofInstallation >= most) {
        const detail = `A tenant may have ${mostOfTenant} destinations, all of them together ${most}.`;
        throw new Problem('too-many-destinations', detail);
      }
      return insertDestination(db, fresh);
    });
  }
}

const heededByAll = (): Promise<void> => sleep(MOST_AGE_MS);

function notFound(): never {
  throw new Problem('destination-not-found', 'No destination has this id.');
}
