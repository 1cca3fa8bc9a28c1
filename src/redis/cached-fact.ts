import { isStoredInstant } from '../event/instant';
import { isUuid } from '../event/uuid-v7';
import type { CommittedEvent } from './idempotency-cache';

/** Longer than any fact, so that a foreign value of many megabytes is not parsed. */
const MAX_CHARACTERS = 8_192;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** Text of an envelope: no control characters and no lone surrogates. */
const TEXT = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

/** The fields of a fact. A fact has exactly these, and each is a text. */
const FIELDS: Record<keyof CommittedEvent, (text: string) => boolean> = {
  id: isUuid,
  fingerprint: (text) => SHA256_HEX.test(text),
  eventId: (text) => TEXT.test(text),
  receivedAt: isStoredInstant,
  correlationId: (text) => TEXT.test(text),
  hash: (text) => SHA256_HEX.test(text),
};
const NAMES = Object.keys(FIELDS) as (keyof CommittedEvent)[];

/**
 * Reads a cached fact. Returns undefined for every other value: a response that is built from it would be wrong or
 * incomplete, and PostgreSQL still knows the truth.
 */
export function readFact(text: string): CommittedEvent | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
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
