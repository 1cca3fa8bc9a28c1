import { isInNetworks } from '../../access/identity/networks';
import type { ReceivedRequest } from '../request/received-request';
import { SecretError } from './secret-error';
import { compileBasic } from './verify-basic';
import { compileHmac } from './verify-hmac';
import { compileJwt } from './verify-jwt';
import { isBoundToSecret } from './verify-certificate';
import { compilePublicKey } from './verify-public-key';
import { compileToken } from './verify-token';
import { refused, type Refused } from './verdict';
import type { CompiledVerifier, VerifierTools } from './verifier';
import type { Scheme, Verification } from './verification';

type SchemeOf<S extends Scheme> = Extract<Verification, { scheme: S }>;
type Compile<S extends Scheme> = (
  rule: SchemeOf<S>,
  secrets: readonly string[],
  tools: VerifierTools,
) => CompiledVerifier;

/** Every scheme there is. */
const SCHEMES: { readonly [S in Scheme]: { needsSecret: (rule: SchemeOf<S>) => boolean; compile: Compile<S> } } = {
  hmac: { needsSecret: () => true, compile: compileHmac },
  token: { needsSecret: () => true, compile: compileToken },
  basic: { needsSecret: () => true, compile: (_rule, secrets) => compileBasic(secrets) },
  ed25519: { needsSecret: isBoundToSecret, compile: compilePublicKey },
  ecdsa: { needsSecret: isBoundToSecret, compile: compilePublicKey },
  rsa: { needsSecret: isBoundToSecret, compile: compilePublicKey },
  jwt: { needsSecret: (rule) => rule.jwksUrl === undefined, compile: compileJwt },
  none: { needsSecret: () => false, compile: () => () => ({ verified: true, keyHint: undefined }) },
};

export const SCHEME_NAMES = Object.keys(SCHEMES) as Scheme[];

/** Whether requests can be verified only with a secret of the source. */
export function needsSecret(rule: Verification): boolean {
  const scheme = SCHEMES[rule.scheme] as { needsSecret: (rule: Verification) => boolean };
  return scheme.needsSecret(rule);
}

/** Compiles a rule once for all requests. @throws TemplateError or SecretError, whose message is for the operator */
export function compileVerifier(
  rule: Verification,
  secrets: readonly string[],
  tools: VerifierTools,
): CompiledVerifier {
  if (secrets.some((secret) => secret.trim() === '')) throw new SecretError('The secret must not be empty.');
  const scheme = SCHEMES[rule.scheme] as { compile: Compile<Scheme> };
  const verify = scheme.compile(rule, secrets, tools);
  return rule.allow ? (request) => refusedAddress(rule, request) ?? verify(request) : verify;
}

/** Why requests from the address of this one are refused; undefined if they are not. */
export function refusedAddress({ allow }: Verification, { facts }: ReceivedRequest): Refused | undefined {
  if (!allow || isInNetworks(facts.address, allow)) return undefined;
  return refused('address-not-allowed', `The source does not accept requests from ${facts.address}.`);
}
