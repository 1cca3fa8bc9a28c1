import type { JsonDocument } from '../../expressions/json-document';
import { parsePointer } from '../../expressions/pointer';
import { spellingsOf } from '../../observability/spellings';

/** What is shown in place of a secret. */
export const MASK = '***';

/** What of a verification says where a request carries its secret or its signature. Any verification has this form. */
export interface MaskedVerification {
  scheme: string;
  header?: string;
  query?: string;
  prefix?: string;
  /** Templates. */
  value?: string;
  signature?: string;
  signed?: string;
  each?: string;
  timestamp?: { header?: string; value?: string };
  bodyDigest?: object;
}

/** What is masked in the requests of a source. */
export interface Mask {
  hidden: Places;
  /** Whether the path is the secret. */
  hidesPath: boolean;
  /** What a signature or its check needs. It is worth nothing without the secret, and needed to verify again. */
  shown: Places;
  /** The header with a JWT. Its claims are shown, but not its signature: until it expires, anybody could use it. */
  jwtHeader: string | undefined;
  /** What stays of a masked header or parameter that begins with it. */
  prefix: string;
  /** JSON Pointer of the list whose items the places in the body belong to. */
  each: string | undefined;
  /** Texts that are masked wherever they occur in a header or parameter, the longest first. */
  secrets: readonly string[];
}

/** What is done with a header. */
export type HeaderRule = 'hidden' | 'jwt' | 'secret' | 'plain';

/** Header names are in lower case. */
interface Places {
  headers: ReadonlySet<string>;
  query: ReadonlySet<string>;
  /** JSON Pointers. */
  body: ReadonlySet<string>;
}

const SIGNED_SCHEMES = new Set(['hmac', 'ed25519', 'ecdsa', 'rsa']);
const SECRET_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);
const SECRET_NAME = /(?:token|secret|passw(?:or)?d|pwd|api[-_]?key|auth[-_]?key|access[-_]?key|credentials?)$/i;
const AUTHENTICATION_SCHEME = /^(?:basic|bearer|digest|hmac|token|apikey) +/i;
const OF_PATH = /\{(?:path|url|decodedUrl)\}/;
const JWT_SIGNATURE = /^((?:[^ .]+ +)?[\w-]+\.[\w-]+\.)[\w-]*$/;
/** A shorter text may occur by chance. */
const MIN_SECRET_LENGTH = 6;
/** Each one costs a pass over the body. A body with more is masked as a whole. */
const MAX_SECRETS_IN_BODY = 10;

/** @param secrets the live secrets of the source */
export function maskOf(verification: MaskedVerification, secrets: readonly string[] = []): Mask {
  const { scheme, header, query, prefix = '', value, each } = verification;
  return {
    hidden: scheme === 'token' ? placesOf([value], [header], [query]) : placesOf([], [], []),
    shown: SIGNED_SCHEMES.has(scheme) ? placesOfSignature(verification) : placesOf([], [], []),
    jwtHeader: scheme === 'jwt' ? (header ?? 'authorization').toLowerCase() : undefined,
    hidesPath: scheme === 'token' && value !== undefined && OF_PATH.test(value),
    prefix,
    each,
    secrets: secrets
      .flatMap((secret) => (scheme === 'basic' ? basicForms(secret) : [secret]))
      .filter(({ length }) => length >= MIN_SECRET_LENGTH)
      .sort((a, b) => b.length - a.length),
  };
}

type Query = Readonly<Record<string, string | string[]>>;

export function maskedQuery(query: Query, mask: Mask): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      const masked = (text: string): string => maskedParameter(name, text, mask);
      return [name, Array.isArray(value) ? value.map(masked) : masked(value)];
    }),
  );
}

export function maskedPath(path: string, mask: Mask): string {
  return mask.hidesPath && path !== '' ? MASK : withoutSecrets(path, mask);
}

/** Returns the texts in a body that are secrets, right or wrong. */
export function secretsInBody(body: JsonDocument, { hidden, each }: Mask): string[] {
  const found = new Set<string>();
  if (hidden.body.size === 0) return [];
  const records = each === undefined ? [body] : (body.at(segmentsOf(each))?.items() ?? []);
  for (const record of records) {
    for (const pointer of hidden.body) {
      const place = record.at(segmentsOf(pointer));
      const text = typeof place?.value === 'string' ? place.value : (place?.text ?? '');
      if (text !== '') found.add(text);
    }
    if (found.size >= MAX_SECRETS_IN_BODY) break;
  }
  return [...found].sort((a, b) => b.length - a.length);
}

/**
 * Returns the first bytes of a body for display, without the secrets in it. A body in which a secret is spelled in an
 * unknown way is masked as a whole.
 * @param secrets those of secretsInBody
 */
export function maskedBeginning(body: Buffer, secrets: readonly string[], maxBytes: number): Buffer {
  if (secrets.length === 0) return body.subarray(0, maxBytes);
  if (secrets.length >= MAX_SECRETS_IN_BODY) return Buffer.from(MASK);
  let text = body.toString('latin1'); // one character per byte
  for (const secret of secrets) {
    const spellings = spellingsOf(secret).filter((spelling) => body.includes(spelling, 0, 'latin1'));
    if (spellings.length === 0) return Buffer.from(MASK);
    for (const spelling of spellings) text = text.replaceAll(spelling, MASK);
  }
  return Buffer.from(text, 'latin1').subarray(0, maxBytes);
}

/** @param name in lower case */
export function headerRule(name: string, { hidden, shown, jwtHeader }: Mask): HeaderRule {
  if (hidden.headers.has(name)) return 'hidden';
  if (name === jwtHeader) return 'jwt';
  if (shown.headers.has(name)) return 'plain';
  return SECRET_HEADERS.has(name) || SECRET_NAME.test(name) ? 'secret' : 'plain';
}

export function maskedHeader(rule: HeaderRule, value: string, mask: Mask): string {
  if (rule === 'plain') return withoutSecrets(value, mask);
  if (rule === 'jwt' && JWT_SIGNATURE.test(value)) return value.replace(JWT_SIGNATURE, `$1${MASK}`);
  return masked(value, rule === 'hidden' ? mask.prefix : '');
}

function maskedParameter(name: string, value: string, mask: Mask): string {
  if (mask.hidden.query.has(name)) return masked(value, mask.prefix);
  if (mask.shown.query.has(name)) return withoutSecrets(value, mask);
  return SECRET_NAME.test(name) ? masked(value, '') : withoutSecrets(value, mask);
}

/** Keeps what tells an operator how the request was authenticated, such as `Bearer`. */
function masked(value: string, prefix: string): string {
  if (value === '') return value;
  const kept = prefix !== '' && value.startsWith(prefix) ? prefix : (AUTHENTICATION_SCHEME.exec(value)?.[0] ?? '');
  return kept + MASK;
}

function withoutSecrets(value: string, { secrets }: Mask): string {
  let text = value;
  for (const secret of secrets) if (text.includes(secret)) text = text.replaceAll(secret, MASK);
  return text;
}

/** The secret is `user:password`. */
function basicForms(secret: string): string[] {
  return [secret, secret.slice(secret.indexOf(':') + 1), Buffer.from(secret).toString('base64')];
}

function placesOfSignature({ header, signature, signed, timestamp, bodyDigest }: MaskedVerification): Places {
  const digest = bodyDigest && 'value' in bodyDigest ? String(bodyDigest.value) : undefined;
  return placesOf([signature, signed, timestamp?.value, digest], [header, timestamp?.header], []);
}

/** Collects the places that templates refer to, and those that are named. */
function placesOf(
  templates: readonly (string | undefined)[],
  headers: readonly (string | undefined)[],
  query: readonly (string | undefined)[],
): Places {
  const references = templates.flatMap((template) => [
    ...(template ?? '').matchAll(/\{(header|query|body):([^{}]*)\}/g),
  ]);
  const named = (kind: string): string[] => references.filter(([, of]) => of === kind).map(([, , name = '']) => name);
  const ofHeaders = named('header').map((name) => name.split('/', 1)[0] as string);
  const present = (names: readonly (string | undefined)[]): string[] => names.filter((name) => name !== undefined);
  return {
    headers: new Set([...ofHeaders, ...present(headers)].map((name) => name.toLowerCase())),
    query: new Set([...named('query'), ...present(query)]),
    body: new Set(named('body')),
  };
}

function segmentsOf(pointer: string): string[] {
  const parsed = parsePointer(pointer);
  return 'segments' in parsed ? parsed.segments : [];
}
