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
