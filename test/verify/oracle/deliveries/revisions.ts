import { entriesOf, type Entry, type EntryOf } from '../../run/journal';
import { bringsAgain, type FaultWindows } from '../fault-windows';
import { violation, type Violation } from '../violation';

/** The fields of GET /v1/events/{id} that say which revisions there are. */
export interface ReadEvent {
  id: string;
  revisions?: ReadRevision[];
  [field: string]: unknown;
}

interface ReadRevision {
  revision: number;
  hash: string;
  payload: unknown;
}

const CALL_MS = 3_000;

/** Returns the revision that a webhook-id names, if the event has it. */
export function revisionNamed(webhookId: string, { id, revisions = [] }: ReadEvent): ReadRevision | undefined {
  return revisions.find(({ revision }) => webhookId === `${id}.${revision}`);
}

/** True if a delivered body is the event with this revision in place of its payload. */
export function isRevision(body: string, { revision, hash, payload }: ReadRevision, event: ReadEvent): boolean {
  const sent = JSON.parse(body) as Record<string, unknown>;
  const expected = { ...event, revision, hash, payload };
  return Object.entries(sent).every(
    ([name, value]) => JSON.stringify(value) === JSON.stringify(expected[name as keyof typeof expected]),
  );
}

/** A revision is made only while no delivery is under way, so what is delivered later carries it. */
export function checkRevised(
  journal: readonly Entry[],
  delivered: readonly EntryOf<'delivered'>[],
  faults: FaultWindows,
): Violation[] {
  const made = entriesOf(journal, 'operator').flatMap(({ action, status, body, atMs }) => {
    const event = body?.event as { subject: string } | undefined;
    return action === 'event.revise' && status === 201 && event
      ? [{ name: event.subject, revision: Number(body?.revision), atMs }]
      : [];
  });
  return made.flatMap(({ name, revision, atMs }) =>
    delivered
      .filter((one) => one.name === name && one.atMs > atMs && revisionOf(one.webhookId) < revision)
      .filter((one) => !faults.explain(atMs - CALL_MS, one.atMs, bringsAgain))
      .map((one) => {
        const text = `${name} was delivered as ${one.webhookId} after revision ${revision} was made`;
        return violation('changed', text, name);
      }),
  );
}

const revisionOf = (webhookId: string): number => Number(webhookId.split('.')[1] ?? 1);
