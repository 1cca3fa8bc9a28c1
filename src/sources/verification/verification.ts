import type { AllowedPlaces } from '../fetching/allowed-url';

/**
 * How the requests of a source are verified: a closed set of schemes, as data. `template.ts` has the language of the
 * fields that are templates, such as `{header:x-time}.{body}`.
 */
export type Verification =
  HmacVerification | PublicKeyVerification | JwtVerification | TokenVerification | BasicVerification | NoVerification;

export type Scheme = Verification['scheme'];

/** Beside every scheme. */
interface AnyVerification {
  /** Networks that requests may come from, in CIDR notation. Default: any. */
  allow?: readonly string[];
}

/** Where a signature is, and what it signs. */
interface SignatureRule extends AnyVerification {
  /** The header with the signature. */
  header?: string;
  /** Template of the signature where it is in no header, such as `{body:/signature/signature}`. */
  signature?: string;
  /** Text before the signature, such as `sha256=`. A signature without it is not considered. */
  prefix?: string;
  /** Name of the signature in a header with named parts, such as `v1` in `t=…,v1=…`. It may occur several times. */
  part?: string;
  /** What separates several signatures in the header. One of them must be right. */
  separator?: string;
  encoding: 'hex' | 'base64';
  /** Template of the text that is signed. */
  signed: string;
  /** JSON Pointer of a list in the body. Each item has a signature of its own: `{body:…}` then refers to the item. */
  each?: string;
  timestamp?: TimestampRule;
  bodyDigest?: BodyDigestRule;
}

/** The time of the signature. Requests older or newer than the tolerance are refused. */
export interface TimestampRule {
  header?: string;
  /** Name of the time in a header with named parts, such as `t` in `t=…,v1=…`. */
  part?: string;
  /** Template of the time where it is in no header, such as `{body:/webhookTimestamp}`. */
  value?: string;
  /** Seconds (default) or milliseconds since 1970, or RFC 3339. */
  unit?: 's' | 'ms' | 'rfc3339';
  toleranceSeconds: number;
}

/** A digest of the body that is signed in place of the body. */
export interface BodyDigestRule {
  /** Template of the digest, such as `{query:bodySHA256}`. */
  value: string;
  algorithm: Digest;
  encoding: 'hex' | 'base64';
  /** Forms need no digest, because `{form?}` of the signed text covers them. */
  exceptForms?: boolean;
}

export interface HmacVerification extends SignatureRule {
  scheme: 'hmac';
  algorithm: Digest;
  /** How the secret is decoded to the key. `whsec`: base64 after the prefix `whsec_`. Default: utf8. */
  secretEncoding?: 'utf8' | 'hex' | 'base64' | 'whsec';
}

export interface PublicKeyVerification extends SignatureRule {
  scheme: 'ed25519' | 'ecdsa' | 'rsa';
  /** Default: sha256. Not for ed25519, which has its own. */
  algorithm?: Digest | NamedDigest;
  /** How the key is written that stands in place of the secret. Default: pem. Raw keys of ed25519 are hex or base64. */
  keyEncoding?: 'pem' | 'hex' | 'base64';
  /** How the two numbers of an ECDSA signature are written. Default: der. */
  signatureFormat?: 'der' | 'ieee-p1363';
  /** A certificate that the provider serves holds the key. */
  certificate?: CertificateRule;
}

export type Digest = 'sha1' | 'sha256' | 'sha512';

/** A digest that each request names. */
export interface NamedDigest {
  /** Template of the name, such as `{body:/SignatureVersion}`. */
  value: string;
  /** Which name means which digest. Other names are refused. */
  names: Readonly<Record<string, Digest>>;
}

/**
 * The same certificate signs for all customers of a provider. What tells them apart stands in place of the secrets:
 * `recipient`, or `{secret}` in the signed text. Without either, any customer of the provider can sign requests.
 */
export interface CertificateRule {
  /** Template of its URL. */
  url: string;
  /** Where certificates may be fetched from (allowed-url.ts). */
  hosts: AllowedPlaces;
  /** Template of what must be one of the secrets, such as `{body:/TopicArn}`. */
  recipient?: string;
}

export interface JwtVerification extends AnyVerification {
  scheme: 'jwt';
  /** Default: authorization, with the prefix `Bearer `. */
  header?: string;
  prefix?: string;
  /** Where the provider serves its keys (JWKS), by https. Without it, the secrets are the keys. */
  jwksUrl?: string;
  /** With `jwksUrl` RS, PS, ES and EdDSA; without it HS. */
  algorithms: readonly string[];
  /** With `jwksUrl`, at least one of both is needed. The audience tells customers of a provider apart. */
  issuer?: string;
  audience?: string;
  /** Largest age of the token. Default: until it expires by itself. */
  toleranceSeconds?: number;
  /** The claim that holds a digest of the body. */
  bodyDigest?: { claim: string; algorithm: Digest; encoding: 'hex' | 'base64' };
}

/** The request carries the secret itself. */
export interface TokenVerification extends AnyVerification {
  scheme: 'token';
  header?: string;
  query?: string;
  /** Template of the token where it is elsewhere, such as `{body:/clientState}`. */
  value?: string;
  prefix?: string;
  /** JSON Pointer of a list in the body, each item of which has a token: `{body:…}` then refers to the item. */
  each?: string;
}

/** HTTP basic authentication. The secret is `user:password`. */
export interface BasicVerification extends AnyVerification {
  scheme: 'basic';
}

/** The token in the URL is the only credential. */
export interface NoVerification extends AnyVerification {
  scheme: 'none';
}
