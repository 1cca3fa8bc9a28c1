import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { readKeys, TIMEOUT_MS } from '../../access/oidc/issuer-keys';
import { ok, problem, type Finding } from '../../db/condition/finding';

/** Checks that the keys of the OIDC issuer can be read from here. */
export async function checkOidc(issuer: string | undefined): Promise<Finding[]> {
  if (issuer === undefined) return [];
  try {
    const keys = (await readKeys(issuer, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'manual',
    })) as JSONWebKeySet;
    createLocalJWKSet(keys); // throws if these are no keys
    return [ok('oidc', `the issuer has ${keys.keys.length} keys.`)];
  } catch (error) {
    const why = causeOf(error).replace(/\.$/, '');
    return [
      problem(
        'oidc',
        `the keys of the issuer cannot be read (${why}): correct OIDC_ISSUER, or let this machine reach it.`,
      ),
    ];
  }
}

/** The message of an error of fetch says only that it failed. */
function causeOf(error: unknown): string {
  const { cause, message = String(error) } = error as { cause?: { message?: string }; message?: string };
  return cause?.message ?? message;
}
