import { keyHint } from './key-hint';
import { missing } from './signature-rule';
import { holderOf, wrongSecret } from './verify-token';
import type { CompiledVerifier } from './verifier';

const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i;

/** HTTP basic authentication (RFC 7617). The secrets are `user:password`. */
export function compileBasic(secrets: readonly string[]): CompiledVerifier {
  return (request) => {
    const sent = request.header('authorization');
    if (sent === undefined) return missing('header:authorization');
    const encoded = BASIC.exec(sent)?.[1];
    const holder = encoded === undefined ? undefined : holderOf(Buffer.from(encoded, 'base64').toString(), secrets);
    if (holder === undefined) return wrongSecret('the header authorization', secrets.length);
    return { verified: true, keyHint: keyHint(holder) };
  };
}
