import { isEnvelopeText } from '../event/envelope-text';
import { isStoredInstant } from '../event/instant';
import { MAC_CHARACTERS, type Mac } from '../integrity/mac';
import { isUuid } from '../event/uuid-v7';
import type { CommittedEvent } from './idempotency-cache';

/** Longer than any fact. Of a foreign value of many megabytes, no more than this is fetched, and nothing is parsed. */
export const MOST_FACT_BYTES = 8_192;
/** The form of a fact: its number, the signature, and the fact as JSON. A later form may say more. */
const FORM = '2 ';
const HEAD_CHARACTERS = FORM.length + MAC_CHARACTERS + 1;
const LABEL = 'fact 2';
const SHA256_HEX = /^[0-9a-f]{64}$/;
const BIGINT = /^-?\d{1,19}$/;

/** The fields of a fact. A fact has exactly these, and each is a text. */
const FIELDS: Record<keyof CommittedEvent, (text: string) => boolean> = {
  id: isUuid,
  fingerprint: (text) => SHA256_HEX.test(text),
  eventId: isEnvelopeText,
  receivedAt: isStoredInstant,
  correlationId: isEnvelopeText,
  hash: (text) => SHA256_HEX.test(text),
  history: (text) => BIGINT.test(text),
};
const NAMES = Object.keys(FIELDS) as (keyof CommittedEvent)[];

/** Writes a fact for a key of Redis. The signature covers the key, so that the fact is true under no other one. */
export function signedFact(key: string, committed: CommittedEvent, mac: Mac): string {
  const json = JSON.stringify(committed);
  return `${FORM}${mac.of(LABEL, [key, json])} ${json}`;
}

/**
 * Reads the value of a key. Returns undefined unless this installation has written it for that key: a response that is
 * built from anything else would be wrong or incomplete, and PostgreSQL still knows the truth.
 */
export function readSignedFact(key: string, text: string, mac: Mac): CommittedEvent | undefined {
  if (text.length > MOST_FACT_BYTES || !text.startsWith(FORM) || text[HEAD_CHARACTERS - 1] !== ' ') return undefined;
  const signature = text.slice(FORM.length, HEAD_CHARACTERS - 1);
  const json = text.slice(HEAD_CHARACTERS);
  return mac.verifies(signature, LABEL, [key, json]) ? readFact(json) : undefined;
}

/** Reads the JSON of a fact, which has exactly its fields. */
function readFact(text: string): CommittedEvent | undefined {
  if (text.length > MOST_FACT_BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // not JSON, so not a fact
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  if (Object.keys(fields).length !== NAMES.length) return undefined;
  const isFact = NAMES.every((name) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return typeof field === 'string' && FIELDS[name](field);
  });
  return isFact ? (value as CommittedEvent) : undefined;
}
