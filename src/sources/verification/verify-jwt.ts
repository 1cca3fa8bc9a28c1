import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import { configuredUrl, type AllowedUrl } from '../fetching/allowed-url';
import { TemplateError } from '../request/template-parts';
import { keyHint } from './key-hint';
import { isDigestOf } from './signatures/signature-rule';
import { missing, refused, type Refused, type Verdict } from './verdict';
import type { JwtVerification } from './verification';
import type { CompiledVerifier, VerifierTools } from './verifier';

/** Signatures by a private key, for keys that everybody can read. A key that is public must never verify an HMAC. */
const KEY_ALGORITHMS = /^(?:RS|PS|ES)(?:256|384|512)$|^EdDSA$/;
const SECRET_ALGORITHMS = /^HS(?:256|384|512)$/;
/** The clock of the provider may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** A token that names no key is tried with so many keys of a set. */
const MAX_KEYS_TRIED = 5;

type FoundKey = Parameters<typeof jwtVerify>[1];

/** Finds out who signed a token. */
type VerifyToken = (token: string, options: JWTVerifyOptions) => Promise<VerifiedToken | Refused>;
interface VerifiedToken {
  payload: JWTPayload;
  keyHint: string | undefined;
}

/** JSON Web Tokens. @throws TemplateError */
export function compileJwt(rule: JwtVerification, secrets: readonly string[], tools: VerifierTools): CompiledVerifier {
  const verify = rule.jwksUrl === undefined ? withSecrets(secrets) : withKeySet(configuredUrl(rule.jwksUrl), tools);
  const rules = optionsOf(rule);
  const { header = 'authorization', bodyDigest } = rule;
  const prefix = rule.prefix ?? (rule.header === undefined ? 'Bearer ' : '');
  return async (request): Promise<Verdict> => {
    const sent = request.header(header);
    if (sent === undefined) return missing(`header:${header}`);
    if (!hasPrefix(sent, prefix))
      return refused('signature-invalid', `The header ${header} must begin with ${prefix}.`);
    const token = sent.slice(prefix.length).trim();
    const found = await verify(token, { ...rules, currentDate: request.facts.receivedAt });
    if ('verified' in found) return found;
    const digest = bodyDigest && found.payload[bodyDigest.claim];
    if (bodyDigest && !(typeof digest === 'string' && isDigestOf(request.facts.body, digest, bodyDigest))) {
      return refused('signature-invalid', `The body does not have the digest in the claim ${bodyDigest.claim}.`);
    }
    return { verified: true, keyHint: found.keyHint };
  };
}

/** The scheme of an Authorization header is in any case. */
function hasPrefix(text: string, prefix: string): boolean {
  return text.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
}

/** @throws TemplateError */
function optionsOf(rule: JwtVerification): JWTVerifyOptions {
  const { jwksUrl, algorithms, issuer, audience, toleranceSeconds } = rule;
  const possible = jwksUrl === undefined ? SECRET_ALGORITHMS : KEY_ALGORITHMS;
  if (algorithms.length === 0 || !algorithms.every((algorithm) => possible.test(algorithm))) {
    throw new TemplateError(
      jwksUrl === undefined
        ? 'Without jwksUrl the secrets are the keys: algorithms must be of HS256, HS384, HS512.'
        : 'With jwksUrl, algorithms must be of RS256, PS256, ES256 (or 384, 512) and EdDSA.',
    );
  }
  if (jwksUrl !== undefined && issuer === undefined && audience === undefined) {
    throw new TemplateError('With jwksUrl, give audience or issuer: a provider signs for others with the same keys.');
  }
  return {
    algorithms: [...algorithms],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(toleranceSeconds === undefined ? { requiredClaims: ['exp'] } : { maxTokenAge: toleranceSeconds }),
  };
}

const WRONG = refused('signature-invalid', 'The token is not signed with a key of this source.');

function withSecrets(secrets: readonly string[]): VerifyToken {
  const keys = secrets.map((secret) => ({ hint: keyHint(secret), key: Buffer.from(secret) }));
  return async (token, options) => {
    const tried = await Promise.all(keys.map(({ hint, key }) => verifyWith(token, key, options, hint)));
    return bestOf(tried);
  };
}

function withKeySet(url: AllowedUrl, tools: VerifierTools): VerifyToken {
  return async (token, options) => {
    const kept = await tools.keySet(url);
    const found = await verifyWithSet(token, kept, options);
    if (found !== NO_SUCH_KEY) return found;
    const newest = await tools.keySet(url, true); // the provider may have changed its keys
    return newest === kept ? found : verifyWithSet(token, newest, options);
  };
}

const NO_SUCH_KEY = refused('signature-invalid', 'The token names a key that the provider does not have.');

async function verifyWithSet(
  token: string,
  set: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<VerifiedToken | Refused> {
  try {
    const { payload } = await jwtVerify(token, set, options);
    return { payload, keyHint: undefined };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return NO_SUCH_KEY;
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return refusalFor(error);
    const candidates: FoundKey[] = [];
    for await (const key of error) if (candidates.length < MAX_KEYS_TRIED) candidates.push(key);
    return bestOf(await Promise.all(candidates.map((key) => verifyWith(token, key, options))));
  }
}

async function verifyWith(
  token: string,
  key: FoundKey,
  options: JWTVerifyOptions,
  hint?: string,
): Promise<VerifiedToken | Refused> {
  try {
    const { payload } = await jwtVerify(token, key, options);
    return { payload, keyHint: hint };
  } catch (error) {
    return refusalFor(error);
  }
}

/** What the one right key says, even if it says that the token is too old. */
function bestOf(tried: readonly (VerifiedToken | Refused)[]): VerifiedToken | Refused {
  return tried.find((one) => 'payload' in one) ?? tried.find((one) => one !== WRONG) ?? WRONG;
}

/** Claims are checked after the signature: only who has the key learns what is wrong with them. */
function refusalFor(error: unknown): Refused {
  if (error instanceof errors.JWTExpired)
    return refused('signature-expired', `The token is too old: ${error.message}.`);
  if (error instanceof errors.JWTClaimValidationFailed) {
    const isEarly = error.reason === 'check_failed' && ['nbf', 'iat'].includes(error.claim);
    return refused(
      isEarly ? 'signature-expired' : 'signature-invalid',
      `A claim of the token is wrong: ${error.message}.`,
    );
  }
  // jose throws a TypeError for a key that cannot be used, such as an RSA key that is too short.
  if (error instanceof errors.JOSEError || error instanceof TypeError) return WRONG;
  throw error;
}
