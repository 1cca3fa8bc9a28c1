import { hash, randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { keepDestinationsKey } from '../../../src/destinations/destinations.queries';
import { SecretBox } from '../../../src/destinations/secrets/secret-box';
import { insertSource } from '../../../src/sources/directory/sources.queries';
import { SOURCES } from '../load/webhooks/sources';

const KEY_BYTES = 32;

/** Stores the sources of the run with their fixed ids and tokens, which the admin endpoint would not let us choose. */
export async function addSources(databaseUrl: string): Promise<void> {
  const db = new Client({ connectionString: databaseUrl });
  await db.connect();
  try {
    const box = new SecretBox([await keepDestinationsKey(db, randomBytes(KEY_BYTES))]);
    for (const { id, tenant, name, token, secret, provider, verification, mapping } of SOURCES) {
      await insertSource(db, {
        id,
        tenantId: tenant,
        name,
        uid: null,
        provider,
        verification,
        mapping,
        answers: {},
        accept: null,
        handshake: null,
        expectEverySeconds: null,
        activeHours: null,
        learnSilence: false,
        allowUnverified: false,
        status: 'active',
        secrets: [box.seal(secret, id)],
        tokenDigest: hash('sha256', token, 'buffer'),
        tokenHint: token.slice(-4),
      });
    }
  } finally {
    await db.end();
  }
}
