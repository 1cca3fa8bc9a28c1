import { hash, timingSafeEqual } from 'node:crypto';
import type { JsonDocument } from '../../../expressions/json-document';
import type { ReceivedRequest } from '../../request/received-request';
import { withoutTokens } from '../../directory/source-token';
import { compileTemplate, type Rendered, type Template } from '../../request/template';
import { isForm, namedParts, TemplateError } from '../../request/template-parts';
import { MASK } from '../../inspector/mask';
import { compileList, type ListReader } from './each-record';
import { checkSignedPlaces } from './signed-places';
import { SignatureTime } from './signature-time';
import { missing, refused, type Refused, type Verdict } from '../verdict';
import type { HmacVerification, PublicKeyVerification } from '../verification';

/** One signature of a request and the text that it should be a signature of. */
export interface SignedText {
  /** What the request sent as the signature. Several where the provider signs with two secrets during a rotation. */
  signatures: readonly Buffer[];
  signed: Rendered;
}

const MAX_SIGNATURES = 10;
const SHOWN_BYTES = 2_048;
const WHOLE_REQUEST = [undefined];

/**
 * Finds in a request what a signature is checked against: the signatures, the signed text, and its age. Compiled once
 * for a source.
 */
export class SignatureReader {
  private readonly place: Template | undefined;
  private readonly signed: Template;
  private readonly list: ListReader | undefined;
  private readonly time: SignatureTime | undefined;
  private readonly digest: Template | undefined;

  /** @throws TemplateError */
  constructor(private readonly rule: HmacVerification | PublicKeyVerification) {
    this.place = rule.signature === undefined ? undefined : compileTemplate(rule.signature);
    this.signed = compileTemplate(rule.signed, { secret: 'certificate' in rule && rule.certificate !== undefined });
    this.list = rule.each === undefined ? undefined : compileList(rule.each);
    this.time = rule.timestamp && new SignatureTime(rule.timestamp);
    this.digest = rule.bodyDigest && compileTemplate(rule.bodyDigest.value);
    checkSignedPlaces(rule);
    if (rule.signed.includes('{form?}') !== (rule.bodyDigest?.exceptForms === true)) {
      throw new TemplateError('{form?} and exceptForms need each other: together they cover every body.');
    }
  }

  /** Returns one text for the request, or one for each item of `each`. */
  read(request: ReceivedRequest, secret?: string): SignedText[] | Refused {
    const records = this.records(request);
    if ('verified' in records) return records;
    const texts: SignedText[] = [];
    for (const record of records) {
      const text = this.readOne(request, record, secret);
      if ('verified' in text) return text;
      texts.push(text);
    }
    return this.wrongDigest(request) ?? texts;
  }

  /**
   * Checks every text with every key, so that the time does not tell which key is right. The first wrong text ends it:
   * a stranger's list costs as much as one item.
   * @param isRight must compare in constant time, and with all signatures of the text
   */
  verdict<K>(
    request: ReceivedRequest,
    keys: readonly { hint: string | undefined; key: K }[],
    isRight: (key: K, text: SignedText) => boolean,
  ): Verdict {
    const records = this.records(request);
    if ('verified' in records) return records;
    let verdict: Verdict | undefined;
    for (const record of records) {
      const text = this.readOne(request, record, undefined);
      if ('verified' in text) return text;
      const [holder] = keys.filter(({ key }) => isRight(key, text));
      if (!holder) return this.wrong(text, keys.length);
      verdict = { verified: true, keyHint: holder.hint };
    }
    return this.wrongDigest(request) ?? verdict ?? missing('signature');
  }

  /** Returns the records that are signed, of which undefined stands for the whole request. Checks the time first. */
  private records(request: ReceivedRequest): readonly (JsonDocument | undefined)[] | Refused {
    const records = this.list ? this.list.itemsOf(request) : WHOLE_REQUEST;
    return 'verified' in records ? records : (this.time?.refusal(request) ?? records);
  }

  /**
   * The refusal for a signature that no secret gives.
   * @param secret the one in the signed text, which is not shown
   */
  wrong({ signed: { bytes } }: SignedText, secretsTried: number, secret?: string): Refused {
    const text = secret === undefined ? undefined : bytes.toString().replaceAll(secret, MASK);
    const shown = (text === undefined ? bytes : Buffer.from(text)).subarray(0, SHOWN_BYTES);
    return refused('signature-invalid', 'The signature does not match the request with any secret of this source.', {
      signedText: withoutTokens(shown.toString()),
      secretsTried,
    });
  }

  private readOne(
    request: ReceivedRequest,
    record: JsonDocument | undefined,
    secret: string | undefined,
  ): SignedText | Refused {
    const signatures = this.sentSignatures(request, record);
    if (typeof signatures === 'string') return missing(signatures);
    if (signatures.length === 0) {
      const form = `${this.rule.prefix ?? ''}${this.rule.part === undefined ? '' : `${this.rule.part}=`}`;
      return refused('signature-invalid', `The signature must be ${form}… in ${this.rule.encoding}.`);
    }
    const signed = this.signed.render(request, record, secret);
    return 'missing' in signed ? missing(signed.missing) : { signatures, signed };
  }

  /** Returns the first signatures that can be read, or the name of the place that is empty. */
  private sentSignatures(request: ReceivedRequest, record: JsonDocument | undefined): Buffer[] | string {
    const { header, signature, part, prefix = '', separator, encoding } = this.rule;
    const rendered = this.place?.render(request, record);
    if (rendered && 'missing' in rendered) return rendered.missing;
    const text = rendered ? rendered.text : request.header(header ?? '');
    if (text === undefined || text === '') return signature?.slice(1, -1) ?? `header:${header}`;
    const texts =
      part === undefined ? (separator === undefined ? [text] : text.split(separator)) : namedParts(text, part);
    const signatures: Buffer[] = [];
    for (const one of texts) {
      const sent = one.trim();
      const bytes = sent.startsWith(prefix) ? decoded(sent.slice(prefix.length), encoding) : undefined;
      if (bytes && signatures.push(bytes) === MAX_SIGNATURES) break;
    }
    return signatures;
  }

  /** Where a digest of the body is signed in place of the body, the digest must be right as well. */
  private wrongDigest(request: ReceivedRequest): Refused | undefined {
    const { bodyDigest } = this.rule;
    if (!bodyDigest || !this.digest || (bodyDigest.exceptForms && isForm(request))) return undefined;
    const sent = this.digest.render(request);
    if ('missing' in sent) return missing(sent.missing);
    return isDigestOf(request.facts.body, sent.text, bodyDigest)
      ? undefined
      : refused('signature-invalid', `The body does not have the digest in ${bodyDigest.value}.`);
  }
}

/** Whether a text is the digest of a body. */
export function isDigestOf(
  body: Buffer,
  text: string,
  { algorithm, encoding }: { algorithm: string; encoding: 'hex' | 'base64' },
): boolean {
  const sent = decoded(text, encoding);
  return sent !== undefined && isEqual(sent, hash(algorithm, body, 'buffer'));
}

/** Compares in constant time. The lengths are not secret. */
export function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const HEX = /^(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

function decoded(text: string, encoding: 'hex' | 'base64'): Buffer | undefined {
  return (encoding === 'hex' ? HEX : BASE64).test(text) ? Buffer.from(text, encoding) : undefined;
}
