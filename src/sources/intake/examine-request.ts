import type { ContentRules, RequestContext } from '../../event/prepare-event';
import type { HandshakePlan } from '../handshakes/answer-handshake';
import type { LiveSource, SourceRules } from '../directory/live-source';
import { prepareRequest, type PreparedRequest } from './prepare-request';
import type { ReceivedRequest } from '../request/received-request';
import type { Refused, Verdict, Verified } from '../verification/verdict';
import { refusedAddress } from '../verification/verifiers';

/** What a request to a source is, before anything is stored or called. */
export type Examination =
  | { kind: 'handshake'; plan: HandshakePlan; verdict: Verified | undefined }
  | { kind: 'no-secret' }
  | { kind: 'unverified'; verdict: Refused }
  | { kind: 'prepared'; prepared: PreparedRequest; verdict: Verified };

export interface ExaminationContext {
  source: LiveSource;
  rules: SourceRules;
  request: RequestContext;
  content: ContentRules;
  /** Runs the verification and measures it. */
  measured?: (verify: () => Verdict | Promise<Verdict>) => Verdict | Promise<Verdict>;
}

/**
 * Takes the steps of a request in their order: its address, a handshake that needs no signature, the signature, a
 * handshake that needs one, and the events. Returns a promise only where something has to be waited for.
 * @throws Problem `provider-unavailable` if a key cannot be fetched
 */
export function examineRequest(
  received: ReceivedRequest,
  context: ExaminationContext,
): Examination | Promise<Examination> {
  const { rules, measured } = context;
  const open = planOf(rules, received, false);
  const stranger = open && refusedAddress(rules.verification, received);
  if (stranger) return { kind: 'unverified', verdict: stranger };
  if (open) return { kind: 'handshake', plan: open, verdict: undefined };
  if (!rules.canVerify) return { kind: 'no-secret' };
  const verdict = measured ? measured(() => rules.verify(received)) : rules.verify(received);
  if (verdict instanceof Promise) return verdict.then((later) => examineVerified(received, context, later));
  return examineVerified(received, context, verdict);
}

function examineVerified(
  received: ReceivedRequest,
  context: ExaminationContext,
  verdict: Verdict,
): Examination | Promise<Examination> {
  if (!verdict.verified) return { kind: 'unverified', verdict };
  const signed = planOf(context.rules, received, true);
  if (signed) return { kind: 'handshake', plan: signed, verdict };
  const preparing = prepareRequest(received, { ...context, verdict });
  if (preparing instanceof Promise) return preparing.then((prepared) => ({ kind: 'prepared', prepared, verdict }));
  return { kind: 'prepared', prepared: preparing, verdict };
}

/** @param verified whether the request was verified: some handshakes must be, others are answered without */
export function planOf(
  { handshakes, secrets }: Pick<SourceRules, 'handshakes' | 'secrets'>,
  received: ReceivedRequest,
  verified: boolean,
): HandshakePlan | undefined {
  for (const handshake of handshakes) {
    const plan = handshake.verified === verified ? handshake.plan(received, secrets[0]) : undefined;
    if (plan) return plan;
  }
  return undefined;
}
