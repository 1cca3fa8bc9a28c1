import { MAC_CHARACTERS, type Mac } from '../integrity/mac';
import type { Doubt, Message, OutgoingMessage, QueueName } from './broker';

/** The form of a message. Its number is signed too, so that no form passes for another one. */
const LABEL = 'message 1';
const BEFORE_MAC = ',"mac":"';
const AFTER_MAC = '"}';
const TAIL_CHARACTERS = BEFORE_MAC.length + MAC_CHARACTERS + AFTER_MAC.length;

/**
 * Writes the headers of a message as JSON text. With a `mac`, form 1 of the message: a member `form`, the number of
 * `entries` in the body (always 1 so far), and the signature, which covers queue, id, all headers and the body.
 * Everything that a worker acts on is covered, so a message cannot be changed or moved to another queue. It can still be
 * delayed, dropped or repeated, which I7, I11 and I13 deal with. The build before reads this form and ignores what it does
 * not know.
 */
export function signedHeaders({ queue, id, headers, body }: OutgoingMessage, mac: Mac | undefined): string {
  if (!mac) return JSON.stringify(headers);
  const text = JSON.stringify({ ...headers, form: 1, entries: 1 });
  return `${text.slice(0, -1)}${BEFORE_MAC}${mac.of(LABEL, [queue, id, text], body)}${AFTER_MAC}`;
}

/** Checks headers that signedHeaders may have written. Returns undefined if the signature is right. */
export function doubtAbout(
  headers: string | undefined,
  { queue, id, body }: Pick<Message, 'id' | 'body'> & { queue: QueueName },
  mac: Mac | undefined,
): Doubt | undefined {
  const tail = headers?.slice(-TAIL_CHARACTERS);
  if (!headers || !tail?.startsWith(BEFORE_MAC) || !tail.endsWith(AFTER_MAC)) return 'unsigned';
  if (!mac) return 'unsigned';
  const signature = tail.slice(BEFORE_MAC.length, -AFTER_MAC.length);
  const text = `${headers.slice(0, -TAIL_CHARACTERS)}}`;
  return mac.verifies(signature, LABEL, [queue, id, text], body) ? undefined : 'forged';
}
