import { hintOfSecret } from './key-hint';
import { SecretError } from './secret-error';
import { missing } from './verdict';
import { holderOf, wrongSecret } from './verify-token';
import type { CompiledVerifier } from './verifier';

const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i;

/** HTTP basic authentication (RFC 7617). @throws SecretError for a secret that is not `user:password` */
export function compileBasic(secrets: readonly string[]): CompiledVerifier {
  if (secrets.some((secret) => !secret.includes(':'))) throw new SecretError('The secret must be user:password.');
  return (request) => {
    const sent = request.header('authorization');
    if (sent === undefined) return missing('header:authorization');
    const encoded = BASIC.exec(sent)?.[1];
    const holder = encoded === undefined ? undefined : holderOf(Buffer.from(encoded, 'base64').toString(), secrets);
    if (holder === undefined) return wrongSecret('the header authorization', secrets.length);
    return { verified: true, keyHint: hintOfSecret(holder, 'basic') };
  };
}
