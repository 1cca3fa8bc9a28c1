import { Injectable } from '@nestjs/common';
import { errorCode } from '../../db/pg-errors';
import type { Db } from '../../db/pool';
import type { DestinationAuth } from '../../destinations/auth/destination-auth';
import { DESTINATION_LIMITS, type SealedDestination } from '../../destinations/destination';
import {
  countDestinations,
  insertDestination,
  replaceDestination,
  rotateSecret,
  type NewDestination,
} from '../../destinations/destinations.queries';
import type { StaticHeaders } from '../../destinations/render/static-headers';
import { openAuth, openHeaders, sealAuth, sealHeaders } from '../../destinations/secrets/sealed-options';
import { UnopenedSecretError } from '../../destinations/secrets/secret-box';
import { SecretKey } from '../../destinations/secrets/secret-key';
import { Problem } from '../../event/problems';
import { refuseInvalidDestination, refuseSecretsForOtherOrigin } from './check-destination';
import type { DestinationFields, GivenSecrets } from './destination-fields';
import { DestinationUrl } from './destination-url';

const UNIQUE_VIOLATION = '23505';

/** Checks destinations, seals what is secret, and writes their rows. */
@Injectable()
export class DestinationRows {
  constructor(
    private readonly key: SecretKey,
    private readonly url: DestinationUrl,
  ) {}

  /**
   * Checks and normalises the URLs, which may take a look-up of a name, before the transaction begins.
   * @throws Problem `invalid-request`
   */
  async withAcceptedUrls<T extends { url?: string; auth?: object | null }>(request: T): Promise<T> {
    const { url, auth } = request;
    const isOAuth2 = auth && 'tokenUrl' in auth && typeof auth.tokenUrl === 'string';
    return {
      ...request,
      ...(url === undefined ? {} : { url: await this.url.acceptDestination(url) }),
      ...(isOAuth2 ? { auth: { ...auth, tokenUrl: await this.url.accept(auth.tokenUrl as string, TOKEN_URL) } } : {}),
    };
  }

  /** @throws Problem `invalid-request` */
  async fresh(of: {
    id: string;
    tenantId: string;
    fields: DestinationFields;
    given: GivenSecrets;
    secret: string;
  }): Promise<NewDestination> {
    const { id, tenantId, fields, given, secret } = of;
    const { headers = null, auth = null } = given;
    refuseInvalidDestination(tenantId, fields, headers, auth);
    const box = await this.key.box();
    return {
      ...fields,
      id,
      tenantId,
      secret: box.seal(secret, id),
      headers: headers && sealHeaders(box, headers, id),
      auth: auth && sealAuth(box, auth, id),
    };
  }

  /** @throws Problem `too-many-destinations` or `already-exists` */
  async insert(db: Db, fresh: NewDestination): Promise<SealedDestination> {
    const { ofTenant, ofInstallation } = await countDestinations(db, fresh.tenantId);
    const { ofTenant: mostOfTenant, ofInstallation: most } = DESTINATION_LIMITS;
    if (ofTenant >= mostOfTenant || ofInstallation >= most) {
      const detail = `The maximum is ${mostOfTenant} destinations per tenant and ${most} per installation. Delete a destination first.`;
      throw new Problem('too-many-destinations', detail);
    }
    try {
      return await insertDestination(db, fresh);
    } catch (error) {
      if (errorCode(error) !== UNIQUE_VIOLATION) throw error;
      throw new Problem('already-exists', 'The tenant has a destination with this uid.');
    }
  }

  /**
   * Writes the fields of a destination that the transaction has locked. Headers and credentials that are not given stay,
   * but not with a url of another origin.
   * @throws Problem `invalid-request`
   */
  async replace(
    db: Db,
    destination: SealedDestination,
    next: DestinationFields,
    given: GivenSecrets,
    isSwitched: boolean,
  ): Promise<SealedDestination> {
    refuseSecretsForOtherOrigin(destination, next.url, given);
    const { id } = destination;
    const box = await this.key.box();
    const { headers = opened(() => openHeaders(box, destination.headers, id)) } = given;
    const { auth = opened(() => openAuth(box, destination.auth, id)) } = given;
    refuseInvalidDestination(destination.tenantId, next, headers, auth);
    const sealed = {
      headers: given.headers === undefined ? destination.headers : headers && sealHeaders(box, headers, id),
      auth: given.auth === undefined ? destination.auth : auth && sealAuth(box, auth, id),
    };
    return (await replaceDestination(db, id, { ...next, ...sealed }, isSwitched)) ?? lost();
  }

  /**
   * Gives the destination a secret. The one that it had counts for `overlapSeconds` more. With an overlap, a destination that
   * has the secret already stays as it is, because the request may be a repeated one: a rotation would push out the secret
   * before it, which receivers still verify with.
   */
  async rotateSecret(
    db: Db,
    destination: SealedDestination,
    { secret, ...rotation }: { secret: string; overlapSeconds: number; keepPrevious: boolean },
  ): Promise<SealedDestination> {
    const { id } = destination;
    const box = await this.key.box();
    const isRepeated = opened(() => box.open(destination.secret, id)) === secret && rotation.overlapSeconds > 0;
    if (isRepeated) return destination;
    return (await rotateSecret(db, id, { secret: box.seal(secret, id), ...rotation })) ?? lost();
  }

  /** Gives the destination this secret at once, unless it has it already: the request may be a repeated one. */
  async replaceSecret(db: Db, destination: SealedDestination, secret: string): Promise<SealedDestination> {
    const { id } = destination;
    const box = await this.key.box();
    if (opened(() => box.open(destination.secret, id)) === secret) return destination;
    return (await rotateSecret(db, id, { secret: box.seal(secret, id), overlapSeconds: 0 })) ?? lost();
  }
}

const TOKEN_URL = '/auth/tokenUrl';

/** What was sealed with a lost key cannot be checked. */
function opened<T extends StaticHeaders | DestinationAuth | string>(open: () => T | null): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof UnopenedSecretError) return null;
    throw error;
  }
}

function lost(): never {
  throw new Error('a destination that was locked is gone');
}
