import { SecretError } from './verify-hmac';
import type { CompiledVerifier } from './verifier';
import type { JwtVerification } from './verification';

/** @throws SecretError */
export function compileJwt(_rule: JwtVerification, _secrets: readonly string[]): CompiledVerifier {
  throw new SecretError('The scheme jwt is not available yet.');
}
