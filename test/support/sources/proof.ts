import { createHmac } from 'node:crypto';
import * as path from 'node:path';
import type { VerifierTools } from '../../../src/sources/verification/verifier';

/** A request of a provider. */
export interface SentRequest {
  method: string;
  /** The whole URL that the provider was given. */
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Whose code makes the signature or decides about it. Our own test code is never enough. */
export type Outside =
  /** A package of the provider's signs in `sign`. */
  | { signs: string }
  /** A package of the provider's decides about what `sign` made. */
  | { accepts: string; decide: (request: SentRequest, secret: string) => Promise<boolean> }
  /** The provider publishes requests with their signatures: `examples`. */
  | { publishes: string }
  /** The provider signs nothing and sends a secret. What it publishes is an exchange: `handshakes` or `examples`. */
  | { documents: string };

/** A request with its signature that a provider has published. */
export interface PublishedExample {
  secret: string;
  request: Partial<SentRequest> & Pick<SentRequest, 'headers' | 'body'>;
  /** When it was signed, for signatures with a time. */
  at?: Date;
}

export interface ExpectedEvent {
  eventType: string;
  subject: string;
  /** Undefined: StreamForge gives the event an id. */
  eventId?: string;
  occurredAt?: string;
  /** The exact text. Default: the whole body. */
  payload?: string;
}

/** A signed request, and the events that the mapping of the preset must find in it. */
export interface Sample {
  request: Partial<SentRequest> & Pick<SentRequest, 'body'>;
  /** From the body as it was sent, where signing changes it. */
  events: ExpectedEvent[] | ((body: string) => ExpectedEvent[]);
}

/** A request that leads to no event, and what must be answered. */
export interface HandshakeSample {
  request: Sample['request'];
  name: string;
  answer: { status: number; body: string };
}

/** Proves a preset. */
export interface Proof {
  provider: string;
  outside: Outside;
  /** Two secrets in the form that the preset wants. For key pairs these are the public keys. */
  secrets: [string, string];
  /** Signs a request at a time. The result is sent. */
  sign: (request: SentRequest, secret: string, at: Date) => Promise<SentRequest> | SentRequest;
  examples?: readonly PublishedExample[];
  /** The first is also the request that is altered. */
  samples: readonly [Sample, ...Sample[]];
  /** What is signed apart from the body: names of headers, `url`, `method`. */
  signed: readonly string[];
  /** How old a request may be, where its time is signed and the provider gives a limit. */
  toleranceSeconds?: number;
  /** Bodies that must be refused, where not every byte of the body is signed. */
  alteredBodies?: (body: string) => string[];
  handshakes?: readonly HandshakeSample[];
  /** What the provider serves, for presets that fetch keys. */
  tools?: VerifierTools;
}

/** For presets that fetch no key. */
export const NO_TOOLS: VerifierTools = {
  certificate: () => Promise.reject(new Error('No certificate is fetched here.')),
  keySet: () => Promise.reject(new Error('No key set is fetched here.')),
};

/**
 * Loads a package without its types: those of some providers are so large that the compiler takes seconds for them. The
 * caller says what it uses.
 */
export const load = async <T>(name: string): Promise<T> => (await import(name)) as T;

const NODE_MODULES = path.resolve(__dirname, '../../../node_modules');

/** The same for a file of a package that exports nothing to `require`, which Jest calls. */
export const loadFile = <T>(file: string): Promise<T> => load<T>(path.join(NODE_MODULES, file));

export const hmac = (
  algorithm: 'sha1' | 'sha256',
  key: string | Buffer,
  text: string,
  encoding: 'hex' | 'base64',
): string => createHmac(algorithm, key).update(text).digest(encoding);

export const withHeaders = (request: SentRequest, headers: Record<string, string>): SentRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
});

/** Whether a function returns something but false, and does not throw. */
export async function accepts(decide: () => unknown): Promise<boolean> {
  try {
    return (await decide()) !== false;
  } catch {
    return false; // that is how these packages refuse
  }
}

export const unixSeconds = (at: Date): string => String(Math.floor(at.getTime() / 1_000));
