/** Why a request of a source was not verified. These are the problem codes of the response. */
export type RefusalCode = 'signature-missing' | 'signature-invalid' | 'signature-expired' | 'address-not-allowed';

export type Verdict = Verified | Refused;

export interface Verified {
  verified: true;
  /** Which secret was right: its last four characters. Undefined for a scheme without a secret. */
  keyHint: string | undefined;
}

export interface Refused {
  verified: false;
  code: RefusalCode;
  /** What is wrong, for the operator and for the provider. It quotes no secret. */
  reason: string;
  /** Facts that help to find the cause. They go into the inspector, not into the response. */
  facts: VerificationFacts;
}

export interface VerificationFacts {
  /** The text that was expected to be signed, cut to its first 2 KB. */
  signedText?: string;
  /** How much the time of the request differs from the clock of this server, in seconds. Positive: it is in the past. */
  clockDifferenceSeconds?: number;
  /** The header, query parameter or place in the body that is missing. */
  missing?: string;
  /** The number of secrets that were tried. */
  secretsTried?: number;
}

export function refused(code: RefusalCode, reason: string, facts: VerificationFacts = {}): Refused {
  return { verified: false, code, reason, facts };
}

/** @param place a part of a template, such as `header:x-signature` */
export function missing(place: string): Refused {
  return refused('signature-missing', `The request has no ${described(place)}.`, { missing: place });
}

function described(place: string): string {
  const [kind, name] = place.split(/:(.*)/s);
  if (name === undefined) return place;
  return kind === 'header'
    ? `header ${name}`
    : kind === 'query'
      ? `query parameter ${name}`
      : `value at ${name} in its body`;
}
