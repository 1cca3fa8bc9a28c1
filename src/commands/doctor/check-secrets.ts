import type { Pool } from 'pg';
import { boxOfAllKeys, countSecrets, type SealCounts } from '../reseal/sealed-secrets';
import { advice, ok, problem, type Finding } from '../../db/condition/finding';

/** Counts the secrets of destinations and sources by the key that opens them. Needs the schema. */
export async function checkSecrets(pool: Pool, keys: readonly Buffer[]): Promise<Finding[]> {
  const box = await boxOfAllKeys(pool, keys);
  return box ? assessSecrets(await countSecrets(pool, box)) : [];
}

export function assessSecrets({ first, older, unopened }: SealCounts): Finding[] {
  const findings: Finding[] = [];
  if (unopened > 0) {
    findings.push(
      problem(
        'secrets',
        `no key opens ${unopened} sealed secrets: add the key that sealed them to DESTINATIONS_SECRET_KEY, or replace the secrets.`,
      ),
    );
  }
  if (older > 0) {
    findings.push(
      advice(
        'secrets',
        `${older} of ${first + older} secrets are sealed with an older key: run npm run reseal before you remove it.`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('secrets', `${first} are sealed with the first key.`)];
}
