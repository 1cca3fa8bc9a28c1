import { hash, timingSafeEqual } from 'node:crypto';
import type { JsonDocument } from '../../expressions/json-document';
import { parseInstant } from '../../event/instant';
import type { ReceivedRequest } from '../received-request';
import { withoutTokens } from '../source-token';
import { compileTemplate, namedParts, type Template } from '../template';
import { listAt } from './each-record';
import type { HmacVerification, PublicKeyVerification, TimestampRule } from './verification';
import { refused, type Refused, type VerificationFacts } from './verdict';

/** One signature of a request and the bytes that it should be a signature of. */
export interface SignedText {
  /** What the request sent as the signature. Several where the provider signs with two secrets during a rotation. */
  signatures: Buffer[];
  bytes: Buffer;
}

const MAX_SIGNATURES = 10;
const SHOWN_BYTES = 2_048;

/**
 * Finds in a request what a signature is checked against: the signatures, the signed text, and its age. Compiled once
 * for a source.
 */
export class SignatureReader {
  private readonly place: Template | undefined;
  private readonly signed: Template;
  private readonly timestamp: TimestampReader | undefined;
  private readonly digest: Template | undefined;

  /** @throws TemplateError */
  constructor(private readonly rule: HmacVerification | PublicKeyVerification) {
    this.place = rule.signature === undefined ? undefined : compileTemplate(rule.signature);
    this.signed = compileTemplate(rule.signed);
    this.timestamp = rule.timestamp && new TimestampReader(rule.timestamp);
    this.digest = rule.bodyDigest && compileTemplate(rule.bodyDigest.value);
  }

  /** Returns one text for the request, or one for each item of `each`. */
  read(request: ReceivedRequest): SignedText[] | Refused {
    const records = this.rule.each === undefined ? [undefined] : listAt(request, this.rule.each);
    if (records === undefined) return missing(`body:${this.rule.each}`);
    const late = this.timestamp?.refusal(request);
    if (late) return late;
    const texts: SignedText[] = [];
    for (const record of records) {
      const text = this.readOne(request, record);
      if ('verified' in text) return text;
      texts.push(text);
    }
    return this.wrongDigest(request) ?? texts;
  }

  /** The refusal for a signature that no secret gives. */
  wrong({ bytes }: SignedText, secretsTried: number): Refused {
    return refused('signature-invalid', 'The signature is not that of the request with a secret of this source.', {
      signedText: withoutTokens(bytes.subarray(0, SHOWN_BYTES).toString()),
      secretsTried,
    });
  }

  private readOne(request: ReceivedRequest, record: JsonDocument | undefined): SignedText | Refused {
    const sent = this.sentSignatures(request, record);
    if (typeof sent === 'string') return missing(sent);
    const signatures = sent.flatMap((text) => decoded(text, this.rule.encoding)).slice(0, MAX_SIGNATURES);
    if (signatures.length === 0) {
      const form = `${this.rule.prefix ?? ''}${this.rule.part === undefined ? '' : `${this.rule.part}=`}`;
      return refused('signature-invalid', `The signature must be ${form}… in ${this.rule.encoding}.`);
    }
    const text = this.signed.render(request, record);
    return 'missing' in text ? missing(text.missing) : { signatures, bytes: text.bytes };
  }

  /** Returns the texts that may be signatures, or the name of the place that is empty. */
  private sentSignatures(request: ReceivedRequest, record: JsonDocument | undefined): string[] | string {
    const { header, part, prefix = '', separator } = this.rule;
    let text: string | undefined;
    if (this.place) {
      const rendered = this.place.render(request, record);
      if ('missing' in rendered) return rendered.missing;
      text = rendered.bytes.toString();
    } else text = request.header(header ?? '');
    if (text === undefined || text === '') return `header:${header}`;
    const texts =
      part === undefined ? (separator === undefined ? [text] : text.split(separator)) : namedParts(text, part);
    return texts
      .map((one) => one.trim())
      .filter((one) => one.startsWith(prefix))
      .map((one) => one.slice(prefix.length));
  }

  /** Where a digest of the body is signed in place of the body, the digest must be right as well. */
  private wrongDigest(request: ReceivedRequest): Refused | undefined {
    const { bodyDigest } = this.rule;
    if (!bodyDigest || !this.digest) return undefined;
    const sent = this.digest.render(request);
    if ('missing' in sent) return missing(sent.missing);
    const actual = Buffer.from(hash(bodyDigest.algorithm, request.facts.body, bodyDigest.encoding));
    return isEqual(sent.bytes, actual)
      ? undefined
      : refused('signature-invalid', `The body does not have the digest in ${bodyDigest.value}.`);
  }
}

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

/** Compares in constant time. The lengths are not secret. */
export function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const HEX = /^(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

function decoded(text: string, encoding: 'hex' | 'base64'): Buffer[] {
  return (encoding === 'hex' ? HEX : BASE64).test(text) ? [Buffer.from(text, encoding)] : [];
}

const MS_PER_UNIT = { s: 1_000, ms: 1 } as const;

class TimestampReader {
  private readonly place: Template | undefined;

  constructor(private readonly rule: TimestampRule) {
    this.place = rule.value === undefined ? undefined : compileTemplate(rule.value);
  }

  refusal(request: ReceivedRequest): Refused | undefined {
    const { header = '', part, toleranceSeconds } = this.rule;
    let text = part === undefined ? request.header(header) : namedParts(request.header(header), part)[0];
    if (this.place) {
      const rendered = this.place.render(request);
      text = 'missing' in rendered ? undefined : rendered.bytes.toString();
    }
    if (text === undefined)
      return missing(this.rule.value?.slice(1, -1) ?? `header:${header}${part ? `/${part}` : ''}`);
    const sentMs = this.milliseconds(text);
    if (sentMs === undefined) return refused('signature-invalid', 'The timestamp of the signature is not a time.');
    const seconds = Math.round((request.facts.receivedAt.getTime() - sentMs) / 1_000);
    const facts: VerificationFacts = { clockDifferenceSeconds: seconds };
    if (Math.abs(seconds) <= toleranceSeconds) return undefined;
    const when = seconds > 0 ? `${seconds} s ago` : `${-seconds} s in the future`;
    return refused('signature-expired', `The request was signed ${when}; ${toleranceSeconds} s are tolerated.`, facts);
  }

  private milliseconds(text: string): number | undefined {
    const { unit = 's' } = this.rule;
    if (unit === 'rfc3339') {
      const instant = parseInstant(text);
      return instant && Date.parse(instant.utc);
    }
    return /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) * MS_PER_UNIT[unit] : undefined;
  }
}
