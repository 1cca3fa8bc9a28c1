import { keyHint } from './key-hint';
import { compileDigest, isSignedBy, readPublicKey } from './signatures/public-key';
import { SignatureReader } from './signatures/signature-rule';
import type { CompiledVerifier, VerifierTools } from './verifier';
import type { PublicKeyVerification } from './verification';
import { compileCertificate } from './verify-certificate';

/** Signatures by a key pair. The public keys stand in place of the secrets. @throws SecretError, TemplateError */
export function compilePublicKey(
  rule: PublicKeyVerification,
  secrets: readonly string[],
  tools: VerifierTools,
): CompiledVerifier {
  if (rule.certificate) return compileCertificate(rule, rule.certificate, secrets, tools);
  const reader = new SignatureReader(rule);
  const digestOf = compileDigest(rule);
  const keys = secrets.map((secret) => ({ hint: keyHint(secret), key: readPublicKey(secret, rule) }));
  return (request) => {
    const digest = digestOf(request);
    if (typeof digest !== 'string') return digest;
    return reader.verdict(request, keys, (key, text) => isSignedBy(key, text, rule, digest));
  };
}
