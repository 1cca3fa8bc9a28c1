import { diffOf } from '../expressions/patch/json-diff';
import type { Revision } from './revision';

const NO_DIFF = { operations: '[]', truncated: false };

/** What a reader sees of revisions. The rest is left out. */
export interface RevisionSight {
  /** Payloads and diffs. */
  payloads: boolean;
  /** Who made them and why. Names and notes are for operators, not for tenants. */
  operators: boolean;
}

/**
 * Returns the JSON text of the revisions of an event, oldest first. The diff of each leads from the payload before it to
 * its own. Payloads and diffs of erased revisions are empty.
 * @param original the payload as it was sent
 */
export function revisionsJson(original: string, revisions: readonly Revision[], sight: RevisionSight): string {
  let before = original;
  const texts = revisions.map((revision) => {
    const text = revisionJson(before, revision, sight);
    before = revision.payloadJson;
    return text;
  });
  return `[${texts.join(',')}]`;
}

function revisionJson(before: string, revision: Revision, sight: RevisionSight): string {
  const { revision: number, hash, note, actor, createdAt, erasedAt, payloadJson } = revision;
  const operator = sight.operators ? { note, actor } : {};
  const facts = { revision: number, hash, ...operator, createdAt, ...(erasedAt === null ? {} : { erasedAt }) };
  if (!sight.payloads) return JSON.stringify(facts);
  const { operations, truncated } = erasedAt === null ? diffOf(before, payloadJson) : NO_DIFF;
  return `${JSON.stringify(facts).slice(0, -1)},"payload":${payloadJson},"diff":${operations},"diffTruncated":${truncated}}`;
}
