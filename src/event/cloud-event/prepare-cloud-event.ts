import { cloudEventPointer, fromBinary, fromStructured, type EnvelopeText } from './cloud-event';
import { prepareEvent, type ContentRules, type PrepareResult, type RequestContext } from '../prepare-event';
import type { ErrorDetail } from '../problems';
import { shortError, shortText } from '../short-error';
import { MAX_ERRORS_PER_EVENT } from '../validate-envelope';

/** Prepares a CloudEvent in structured mode: a whole body, or one record of a batch. */
export function prepareStructured(bytes: Buffer, context: RequestContext, rules: ContentRules): PrepareResult {
  // An event that is too large or not a JSON object gets the same rejection as a native event.
  const envelope = bytes.length > rules.MAX_EVENT_BYTES ? undefined : fromStructured(bytes);
  return envelope ? prepareEnvelope(envelope, bytes.length, context, rules) : prepareEvent(bytes, context, rules);
}

/** Prepares a CloudEvent in binary mode: attributes in the headers, data in the body. */
export function prepareBinary(
  headers: Record<string, string | string[] | undefined>,
  body: Buffer,
  context: RequestContext,
  rules: ContentRules,
): PrepareResult {
  return prepareEnvelope(fromBinary(headers, body), body.length, context, rules);
}

function prepareEnvelope(
  envelope: EnvelopeText,
  receivedBytes: number,
  context: RequestContext,
  rules: ContentRules,
): PrepareResult {
  if ('errors' in envelope) return { rejection: rejectionOf(envelope.errors) };
  const made = prepareEvent(Buffer.from(envelope.text), context, rules, receivedBytes, envelope.parts);
  if ('prepared' in made || made.rejection.errors.length === 0) return made;
  return {
    rejection: rejectionOf(made.rejection.errors.map((e) => ({ ...e, pointer: cloudEventPointer(e.pointer) }))),
  };
}

function rejectionOf(errors: ErrorDetail[]): { code: ErrorDetail['code']; message: string; errors: ErrorDetail[] } {
  const shown = errors.slice(0, MAX_ERRORS_PER_EVENT).map(shortError);
  const [first] = shown;
  const message = shortText(`${first?.pointer} ${first?.message}`);
  return { code: first?.code ?? 'invalid-event', message, errors: shown };
}
