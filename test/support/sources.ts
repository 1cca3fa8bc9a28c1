import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Pool } from 'pg';
import { keepDestinationsKey } from '../../src/destinations/destinations.queries';
import { SecretBox } from '../../src/destinations/secrets/secret-box';
import { SecretKey } from '../../src/destinations/secrets/secret-key';
import { uuidV7 } from '../../src/event/uuid-v7';
import type { SealedSource, Source } from '../../src/sources/directory/source';
import { SourceRegistry } from '../../src/sources/directory/source-registry';
import { mintToken } from '../../src/sources/directory/source-token';
import { insertSource } from '../../src/sources/directory/sources.queries';

export interface SourceFields extends Partial<Pick<Source, 'tenantId' | 'name' | 'verification' | 'mapping'>> {
  provider?: string;
  secrets?: readonly string[];
  answers?: Source['answers'];
  accept?: Source['accept'];
  handshake?: Source['handshake'];
  status?: Source['status'];
}

export interface GivenSource {
  row: SealedSource;
  /** Below the URL of the application. */
  path: string;
  token: string;
}

/** Stores a source, as the admin endpoint does, and makes this process heed it at once. */
export async function givenSource(app: NestFastifyApplication, pool: Pool, fields: SourceFields): Promise<GivenSource> {
  const source = await storeSource(pool, await app.get(SecretKey).box(), fields);
  app.get(SourceRegistry).invalidate();
  return source;
}

/** Seals the secrets of an installation without DESTINATIONS_SECRET_KEY. */
export async function boxOf(pool: Pool): Promise<SecretBox> {
  return new SecretBox([await keepDestinationsKey(pool, randomBytes(32))]);
}

/** Stores a source for processes, which heed it within half a second. */
export async function storeSource(
  pool: Pool,
  box: SecretBox,
  { tenantId = 'acme', provider = 'custom', secrets = [], ...fields }: SourceFields,
): Promise<GivenSource> {
  const id = uuidV7();
  const token = mintToken();
  const row = await insertSource(pool, {
    id,
    tenantId,
    name: fields.name ?? `${provider} of ${tenantId}`,
    uid: null,
    provider,
    verification: fields.verification ?? null,
    mapping: fields.mapping ?? {},
    answers: fields.answers ?? {},
    accept: fields.accept ?? null,
    handshake: fields.handshake ?? null,
    expectEverySeconds: null,
    activeHours: null,
    learnSilence: false,
    allowUnverified: fields.verification?.scheme === 'none',
    status: fields.status ?? 'active',
    secrets: secrets.map((secret) => box.seal(secret, id)),
    tokenDigest: token.digest,
    tokenHint: token.hint,
  });
  return { row, path: `/in/${token.text}`, token: token.text };
}
