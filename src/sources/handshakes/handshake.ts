import type { AllowedPlaces } from '../fetching/allowed-url';

/**
 * A request with which a provider checks a URL before it sends events to it, and the answer that it expects, as data.
 * It leads to no event. All texts are templates (template.ts).
 */
export interface Handshake {
  /** What the provider calls it. */
  name: string;
  /** The request is this handshake if all of these hold. */
  when: {
    method?: 'GET' | 'POST' | 'OPTIONS';
    /** A part that the request must have, such as `{query:hub.challenge}`. */
    has?: string;
    /** A part that must have this text. */
    equals?: { value: string; text: string };
  };
  /** Whether the request is signed like the others, and refused if it is not. */
  verified: boolean;
  /** A URL that the provider wants to be fetched before it sends anything. Only where `verified` is true. */
  confirm?: { /** Template of the URL. */ url: string; /** As in allowed-url.ts. */ hosts: AllowedPlaces };
  answer: HandshakeAnswer;
}

export interface HandshakeAnswer {
  /** Default: 200. */
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** A text, sent as text/plain. */
  text?: string;
  /** An object of texts and numbers, sent as JSON. */
  json?: Readonly<Record<string, string | number | HmacOf>>;
}

/** The HMAC of a text with the newest secret of the source. Only where `verified` is true: it would sign for strangers. */
export interface HmacOf {
  hmac: string;
  algorithm: 'sha1' | 'sha256' | 'sha512';
  encoding: 'hex' | 'base64';
}
