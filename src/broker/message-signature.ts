import { MAC_CHARACTERS, type Mac } from '../integrity/mac';
import type { Doubt, Message, OutgoingMessage } from './broker';
import { BUNDLE_FORM } from './bundle-form';

/** The form of a message. Its number is signed too, so that no form passes for another one. */
const LABEL = 'message 1';
const LABEL_OF_BUNDLES = `message ${BUNDLE_FORM}`;
const BEFORE_MAC = ',"mac":"';
const AFTER_MAC = '"}';
const TAIL_CHARACTERS = BEFORE_MAC.length + MAC_CHARACTERS + AFTER_MAC.length;

/** What a signature covers beside the headers. `queue` is the routing key. */
type Signed = Pick<Message, 'id' | 'body'> & { queue: string };

/**
 * Writes the headers of a message as JSON text. With a `mac`, form 1 of the message: a member `form`, the number of
 * `entries` in the body (1), and the signature, which covers queue, id, all headers and the body. Everything that a worker
 * acts on is covered, so a message cannot be changed or moved to another queue. It can still be delayed, dropped or
 * repeated, which I7, I11 and I13 deal with. Earlier builds read this form and ignore what they do not know.
 */
export function signedHeaders(message: OutgoingMessage, mac: Mac | undefined): string {
  if (!mac) return JSON.stringify(message.headers);
  return signed(LABEL, JSON.stringify({ ...message.headers, form: 1, entries: 1 }), message, mac);
}

/** Writes the headers of a bundle of `entries`. The signature covers the body, and so every entry with its headers. */
export function signedHeadersOfBundle(bundle: Signed, entries: number, mac: Mac | undefined): string {
  const text = JSON.stringify({ form: BUNDLE_FORM, entries });
  return mac ? signed(LABEL_OF_BUNDLES, text, bundle, mac) : text;
}

const signed = (label: string, text: string, { queue, id, body }: Signed, mac: Mac): string =>
  `${text.slice(0, -1)}${BEFORE_MAC}${mac.of(label, [queue, id, text], body)}${AFTER_MAC}`;

/** Checks headers that signedHeaders may have written. Returns undefined if the signature is right. */
export function doubtAbout(headers: string | undefined, message: Signed, mac: Mac | undefined): Doubt | undefined {
  return doubt(LABEL, headers, message, mac);
}

/** The same for headers that signedHeadersOfBundle may have written. */
export function doubtAboutBundle(headers: string | undefined, bundle: Signed, mac: Mac | undefined): Doubt | undefined {
  return doubt(LABEL_OF_BUNDLES, headers, bundle, mac);
}

function doubt(
  label: string,
  headers: string | undefined,
  { queue, id, body }: Signed,
  mac: Mac | undefined,
): Doubt | undefined {
  const tail = headers?.slice(-TAIL_CHARACTERS);
  if (!headers || !tail?.startsWith(BEFORE_MAC) || !tail.endsWith(AFTER_MAC)) return 'unsigned';
  if (!mac) return 'unsigned';
  const signature = tail.slice(BEFORE_MAC.length, -AFTER_MAC.length);
  const text = `${headers.slice(0, -TAIL_CHARACTERS)}}`;
  return mac.verifies(signature, label, [queue, id, text], body) ? undefined : 'forged';
}
