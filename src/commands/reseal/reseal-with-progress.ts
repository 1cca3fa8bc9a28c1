import { closePool } from '../../db/close-pool';
import { createPool } from '../../db/pool';
import { say } from '../../runtime/command';
import { boxOfAllKeys, countSecrets, resealSecrets, type SealCounts } from './sealed-secrets';

/** Seals all secrets with the first key and prints what it did. Sets the exit code to 1 if no key opens some of them. */
export async function resealWithProgress(databaseUrl: string, keys: readonly Buffer[], dryRun: boolean): Promise<void> {
  const pool = createPool(databaseUrl, 'streamforge reseal');
  try {
    const box = await boxOfAllKeys(pool, keys);
    if (!box) return say('There is no key, so no secret was ever sealed.');
    const total: SealCounts = { first: 0, older: 0, unopened: 0 };
    if (dryRun) {
      Object.assign(total, await countSecrets(pool, box));
    } else {
      await resealSecrets(pool, box, (found) => {
        for (const name of ['first', 'older', 'unopened'] as const) total[name] += found[name];
        if (found.older > 0) say(`${total.older} secrets sealed again so far`);
      });
    }
    say(`${total.first} secrets had the first key already, ${total.older} ${dryRun ? 'have' : 'had'} an older one.`);
    if (total.unopened > 0) {
      say(`${total.unopened} secrets are not opened by any key: add the key that sealed them, or replace the secrets.`);
      process.exitCode = 1;
    }
  } finally {
    await closePool(pool);
  }
}
