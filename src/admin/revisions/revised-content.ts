import type { Event } from '../../event/event';
import { Problem } from '../../event/problems';
import type { ContentRules } from '../../event/prepare-event';
import { reviseEvent, type RevisedPayload } from '../../event/revise-event';
import { applyPatch } from '../../expressions/patch/apply-patch';
import type { NewContent } from './revision-body';

/**
 * Returns the payload that a request asks for, checked as at intake.
 * @param newest the newest payload of the event
 * @throws Problem `invalid-request` for a patch that cannot be applied, or that of a payload that intake would refuse
 */
export function revisedContent(
  event: Event,
  newest: string,
  content: NewContent,
  rules: Pick<ContentRules, 'MAX_EVENT_BYTES'>,
): RevisedPayload {
  const made = reviseEvent(event, 'patch' in content ? patched(newest, content, rules) : content.payloadJson, rules);
  if ('revised' in made) return made.revised;
  const { code, message, errors } = made.rejection;
  throw new Problem(code, message, errors.length > 0 ? { errors } : {});
}

function patched(
  newest: string,
  { patch }: Extract<NewContent, { patch: unknown }>,
  { MAX_EVENT_BYTES }: Pick<ContentRules, 'MAX_EVENT_BYTES'>,
): string {
  const result = applyPatch(newest, patch, MAX_EVENT_BYTES);
  if ('text' in result) return result.text;
  const { operation, message } = result.error;
  const pointer = operation === null ? '/patch' : `/patch/${operation}`;
  throw new Problem('invalid-request', 'The patch cannot be applied. See `errors`.', {
    errors: [{ pointer, code: 'invalid-request', message }],
  });
}
