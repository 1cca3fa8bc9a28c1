import { usageError } from '../cli-error';

/** A secret in the file: `{ env: NAME }`. */
export interface SecretReference {
  env: string;
}

export const isReference = (value: unknown): value is SecretReference =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).length === 1 &&
  typeof (value as SecretReference).env === 'string';

/**
 * Replaces each `{ env: NAME }` by the variable's value. Collects the names of variables that are missing.
 * A field of a resource may be such an object only if it is a reference: no field of the API has the shape.
 */
export function withSecrets(value: unknown, env: Record<string, string | undefined>, missing: Set<string>): unknown {
  if (isReference(value)) {
    const secret = env[value.env];
    if (secret === undefined || secret === '') missing.add(value.env);
    return secret ?? '';
  }
  if (Array.isArray(value)) return value.map((one) => withSecrets(one, env, missing));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withSecrets(one, env, missing)]));
}

/** @throws CliError that names all of them */
export function refuseMissing(missing: ReadonlySet<string>): void {
  if (missing.size > 0) throw usageError(`These variables are not set: ${[...missing].sort().join(', ')}.`);
}
