import { diffOf } from '../expressions/patch/json-diff';
import type { Revision } from './revision';

const NO_DIFF = { operations: '[]', truncated: false };

/**
 * Returns the JSON text of the revisions of an event, oldest first. The diff of each leads from the payload before it to
 * its own. Payloads and diffs are left out for a reader who may not see them; those of erased revisions are empty.
 * @param original the payload as it was sent
 */
export function revisionsJson(original: string, revisions: readonly Revision[], seesPayloads: boolean): string {
  let before = original;
  const texts = revisions.map((revision) => {
    const text = revisionJson(before, revision, seesPayloads);
    before = revision.payloadJson;
    return text;
  });
  return `[${texts.join(',')}]`;
}

function revisionJson(before: string, revision: Revision, seesPayloads: boolean): string {
  const { revision: number, hash, note, actor, createdAt, erasedAt, payloadJson } = revision;
  const facts = { revision: number, hash, note, actor, createdAt, ...(erasedAt === null ? {} : { erasedAt }) };
  if (!seesPayloads) return JSON.stringify(facts);
  const { operations, truncated } = erasedAt === null ? diffOf(before, payloadJson) : NO_DIFF;
  return `${JSON.stringify(facts).slice(0, -1)},"payload":${payloadJson},"diff":${operations},"diffTruncated":${truncated}}`;
}
