import type { Evidence } from '../../evidence/evidence';
import { DESTINATIONS } from '../../load/operator/destinations';
import type { EntryOf } from '../../run/journal';
import { violation, type Violation } from '../violation';
import { isRevision, revisionNamed, type ReadEvent } from './revisions';

/**
 * The delivered event equals the one that is read back, has its id as webhook-id in every attempt, and is signed. A
 * revision has its number in the webhook-id, and equals the revision that is read back.
 */
export function checkContent(
  { name, webhookId, body, unverifiedBy, destination }: EntryOf<'delivered'>,
  evidence: Evidence,
): Violation[] {
  const tenant = DESTINATIONS.find((known) => known.name === destination)?.tenant;
  const planned = evidence.sent.get(name);
  const read = evidence.readBack.get(name);
  const found: Violation[] = [];
  if (!planned || planned.tenant !== tenant) {
    return [violation('changed', `${destination} got an event that is not for it: ${body.slice(0, 500)}`, name)];
  }
  if (unverifiedBy.length > 0) {
    const text = `${unverifiedBy.join(' and ')} cannot verify the delivery of ${name} to ${destination}`;
    found.push(violation('unsigned', text, name));
  }
  if (read?.httpStatus !== 200) return found; // never acknowledged, or reported by another rule
  const event = JSON.parse(read.text) as ReadEvent;
  const revision = revisionNamed(webhookId, event);
  if (webhookId !== event.id && !revision)
    found.push(violation('doubled', `${name} was delivered with webhook-id ${webhookId}`, name));
  if (event.erasedAt !== undefined) return found;
  const isSame = revision ? isRevision(body, revision, event) : isWhatIsReadBack(body, read.text);
  if (!isSame)
    found.push(violation('changed', `${name} was delivered as ${body}, and is read back as ${read.text}`, name));
  return found;
}

/** The text that is read back starts with the event and continues with its status. */
const isWhatIsReadBack = (body: string, text: string): boolean =>
  body.endsWith('}') && text.startsWith(body.slice(0, -1)) && text.charAt(body.length - 1) === ',';
