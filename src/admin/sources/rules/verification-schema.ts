import type {
  BasicVerification,
  BodyDigestRule,
  CertificateRule,
  HmacVerification,
  JwtVerification,
  NamedDigest,
  NoVerification,
  PublicKeyVerification,
  Scheme,
  TimestampRule,
  TokenVerification,
} from '../../../sources/verification/verification';

/** JSON Schema, with the keywords of schema-check.ts. */
export type Schema = Readonly<Record<string, unknown>>;

/** A schema for each field of a rule, so that a field without one does not compile. */
type FieldsOf<T> = Readonly<Required<Record<Exclude<keyof T, 'scheme'>, Schema>>>;

const text = (maxLength = 200): Schema => ({ type: 'string', minLength: 1, maxLength });
const TEMPLATE: Schema = { ...text(2_000), template: true };
const HEADER: Schema = { ...text(), headerName: true };
const DIGEST: Schema = { enum: ['sha1', 'sha256', 'sha512'] };
const DIGEST_ENCODING: Schema = { enum: ['hex', 'base64'] };
const TOLERANCE: Schema = { type: 'integer', minimum: 1, maximum: 604_800 };

const objectOf = (properties: Schema, required: readonly string[], more: Schema = {}): Schema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
  ...more,
});

const TIMESTAMP: FieldsOf<TimestampRule> = {
  header: HEADER,
  part: text(),
  value: TEMPLATE,
  unit: { enum: ['s', 'ms', 'rfc3339'] },
  toleranceSeconds: TOLERANCE,
};
const BODY_DIGEST: FieldsOf<BodyDigestRule> = {
  value: TEMPLATE,
  algorithm: DIGEST,
  encoding: DIGEST_ENCODING,
  exceptForms: { type: 'boolean' },
};
const NAMED_DIGEST: FieldsOf<NamedDigest> = {
  value: TEMPLATE,
  names: { type: 'object', minProperties: 1, maxProperties: 10, additionalProperties: DIGEST },
};
const CERTIFICATE: FieldsOf<CertificateRule> = {
  url: TEMPLATE,
  hosts: { type: 'array', minItems: 1, maxItems: 20, items: text(500) },
  recipient: TEMPLATE,
};
const CLAIM_DIGEST: FieldsOf<NonNullable<JwtVerification['bodyDigest']>> = {
  claim: text(),
  algorithm: DIGEST,
  encoding: DIGEST_ENCODING,
};

const ANY: FieldsOf<NoVerification> = {
  allow: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', network: true } },
};
const EACH: Schema = { type: 'string', maxLength: 500, jsonPointer: true };
const SIGNATURE = {
  ...ANY,
  header: HEADER,
  signature: TEMPLATE,
  prefix: text(),
  part: text(),
  separator: text(10),
  encoding: DIGEST_ENCODING,
  signed: { ...text(2_000), template: 'secret' },
  each: EACH,
  timestamp: objectOf(TIMESTAMP, ['toleranceSeconds'], { oneOfFields: ['header', 'value'] }),
  bodyDigest: objectOf(BODY_DIGEST, ['value', 'algorithm', 'encoding']),
};
const HMAC: FieldsOf<HmacVerification> = {
  ...SIGNATURE,
  algorithm: DIGEST,
  secretEncoding: { enum: ['utf8', 'hex', 'base64', 'whsec'] },
};
const PUBLIC_KEY: FieldsOf<PublicKeyVerification> = {
  ...SIGNATURE,
  algorithm: {
    if: { type: 'object' },
    then: objectOf(NAMED_DIGEST, ['value', 'names']),
    else: DIGEST,
  },
  keyEncoding: { enum: ['pem', 'hex', 'base64'] },
  signatureFormat: { enum: ['der', 'ieee-p1363'] },
  certificate: objectOf(CERTIFICATE, ['url', 'hosts']),
};
const JWT: FieldsOf<JwtVerification> = {
  ...ANY,
  header: HEADER,
  prefix: text(),
  jwksUrl: text(2_000),
  algorithms: { type: 'array', minItems: 1, maxItems: 20, items: text(20) },
  issuer: text(2_000),
  audience: text(2_000),
  toleranceSeconds: TOLERANCE,
  bodyDigest: objectOf(CLAIM_DIGEST, ['claim', 'algorithm', 'encoding']),
};
const TOKEN: FieldsOf<TokenVerification> = {
  ...ANY,
  header: HEADER,
  query: text(),
  value: TEMPLATE,
  prefix: text(),
  each: EACH,
};
const BASIC: FieldsOf<BasicVerification> = ANY;

const schemeOf = (fields: Schema, required: readonly string[] = [], more: Schema = {}): Schema =>
  objectOf({ scheme: { type: 'string' }, ...fields }, ['scheme', ...required], more);

const SIGNED_BY_KEY = schemeOf(PUBLIC_KEY, ['encoding', 'signed'], { oneOfFields: ['header', 'signature'] });

/** What each scheme consists of. */
export const SCHEME_SCHEMAS: Readonly<Record<Scheme, Schema>> = {
  hmac: schemeOf(HMAC, ['algorithm', 'encoding', 'signed'], { oneOfFields: ['header', 'signature'] }),
  ed25519: SIGNED_BY_KEY,
  ecdsa: SIGNED_BY_KEY,
  rsa: SIGNED_BY_KEY,
  jwt: schemeOf(JWT, ['algorithms']),
  token: schemeOf(TOKEN, [], { oneOfFields: ['header', 'query', 'value'] }),
  basic: schemeOf(BASIC),
  none: schemeOf(ANY),
};
