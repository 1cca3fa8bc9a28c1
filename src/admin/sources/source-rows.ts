import { Injectable } from '@nestjs/common';
import { UnopenedSecretError, type SecretBox } from '../../destinations/secrets/secret-box';
import { SecretKey } from '../../destinations/secrets/secret-key';
import { errorCode } from '../../db/pg-errors';
import type { Db } from '../../db/pool';
import { Problem } from '../../event/problems';
import { uuidV7 } from '../../event/uuid-v7';
import { SOURCE_LIMITS, type SealedSource } from '../../sources/directory/source';
import { countLearningSources } from '../../silence/expectations.queries';
import { MOST_LEARNING } from '../../silence/silence-rule';
import type { MintedToken } from '../../sources/directory/source-token';
import {
  countSources,
  insertSource,
  replaceSource,
  rotateSourceSecret,
  type NewSource,
} from '../../sources/directory/sources.queries';
import { ProviderKeys } from '../../sources/verification/provider-keys';
import { refuseInvalid, refuseSecret } from './rules/check-source';
import { changedFields, type SourceFields } from './source-fields';
import type { SourceChangeRequest } from './sources.requests';

const UNIQUE_VIOLATION = '23505';
/** What a change may break. */
const RULE_FIELDS = [
  'verification',
  'secrets',
  'mapping',
  'answers',
  'accept',
  'handshake',
  'allowUnverified',
] as const satisfies (keyof SourceChangeRequest)[];

/** Checks sources, seals their secrets, and writes their rows. */
@Injectable()
export class SourceRows {
  constructor(
    private readonly key: SecretKey,
    private readonly providerKeys: ProviderKeys,
  ) {}

  /** @throws Problem `invalid-request` */
  async fresh(of: {
    tenantId: string;
    fields: SourceFields;
    secrets: readonly string[];
    token: MintedToken;
  }): Promise<NewSource> {
    const { tenantId, fields, secrets, token } = of;
    refuseInvalid(fields, { texts: secrets, pointerOf: ofRequest }, this.providerKeys);
    const box = await this.key.box();
    const id = uuidV7();
    const sealed = secrets.map((secret) => box.seal(secret, id));
    return { ...fields, id, tenantId, secrets: sealed, tokenDigest: token.digest, tokenHint: token.hint };
  }

  /** @throws Problem `too-many-sources` or `already-exists` */
  async insert(db: Db, fresh: NewSource): Promise<SealedSource> {
    if (fresh.learnSilence) await refuseToLearnMore(db);
    const { ofTenant, ofInstallation } = await countSources(db, fresh.tenantId);
    const { ofTenant: mostOfTenant, ofInstallation: most } = SOURCE_LIMITS;
    if (ofTenant >= mostOfTenant || ofInstallation >= most) {
      const detail = `The maximum is ${mostOfTenant} sources per tenant and ${most} per installation. Delete a source first.`;
      throw new Problem('too-many-sources', detail);
    }
    try {
      return await insertSource(db, fresh);
    } catch (error) {
      if (errorCode(error) !== UNIQUE_VIOLATION) throw error;
      throw new Problem('already-exists', 'The tenant has a source with this uid.');
    }
  }

  /** A source whose preset is gone can still be paused or renamed: only a change of its rules is checked. */
  change(db: Db, source: SealedSource, change: SourceChangeRequest): Promise<SealedSource> {
    const next = changedFields(source, change);
    const isOfRules = RULE_FIELDS.some((name) => change[name] !== undefined);
    return isOfRules ? this.replace(db, source, next, change.secrets) : this.write(db, source, next);
  }

  /** Secrets that are left out stay, and must fit the new rules. @throws Problem `invalid-request` */
  async replace(
    db: Db,
    source: SealedSource,
    next: SourceFields,
    secrets: readonly string[] | undefined,
  ): Promise<SealedSource> {
    const box = await this.key.box();
    const checked = secrets
      ? { texts: secrets, pointerOf: ofRequest }
      : { texts: opened(source, box), pointerOf: ofRow };
    refuseInvalid(next, checked, this.providerKeys);
    if (!secrets) return this.write(db, source, next);
    const sealed = secrets.map((secret) => box.seal(secret, source.id));
    return this.write(db, { ...source, secrets: sealed, secondSecretUntil: null }, next);
  }

  private async write(db: Db, source: SealedSource, next: SourceFields): Promise<SealedSource> {
    const { id, secrets, secondSecretUntil } = source;
    if (next.learnSilence && !source.learnSilence) await refuseToLearnMore(db);
    return (await replaceSource(db, id, { ...next, secrets, secondSecretUntil })) ?? lost();
  }

  /**
   * A source whose newest secret is this one stays as it is, because the request may be a repeated one: a rotation would push
   * out the secret before it, which requests are still signed with. @throws Problem `invalid-request`
   */
  async rotateSecret(db: Db, source: SealedSource, secret: string, overlapSeconds: number): Promise<SealedSource> {
    refuseSecret(source, secret, this.providerKeys);
    const box = await this.key.box();
    const [newest] = opened({ ...source, secrets: source.secrets.slice(0, 1) }, box);
    if (newest === secret && overlapSeconds > 0) return source;
    const sealed = box.seal(secret, source.id);
    return (await rotateSourceSecret(db, source.id, { secret: sealed, overlapSeconds })) ?? lost();
  }
}

const ofRequest = (index: number): string => `/secrets/${index}`;
/** The request does not have the secret that does not fit. */
const ofRow = (): string => '/verification';

/** A secret that was sealed with a lost key cannot be checked. */
function opened({ secrets, id }: SealedSource, box: SecretBox): string[] {
  return secrets.flatMap((secret) => {
    try {
      return [box.open(secret, id)];
    } catch (error) {
      if (error instanceof UnopenedSecretError) return [];
      throw error;
    }
  });
}

/** Two changes at the same time may both take the last place: the number bounds work, and one more does no harm. */
async function refuseToLearnMore(db: Db): Promise<void> {
  if ((await countLearningSources(db)) < MOST_LEARNING) return;
  const detail = `What is usual is learned of at most ${MOST_LEARNING} sources per installation. Switch learnSilence off for another one first.`;
  throw new Problem('too-many-sources', detail);
}

function lost(): never {
  throw new Error('a source that was locked is gone');
}
