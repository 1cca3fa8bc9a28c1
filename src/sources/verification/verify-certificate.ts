import type { X509Certificate } from 'node:crypto';
import { compilePlaces, type AllowedUrl } from '../fetching/allowed-url';
import type { ReceivedRequest } from '../request/received-request';
import { compileTemplate } from '../request/template';
import { keyHint } from './key-hint';
import { compileDigest, isKeyFor, isSignedBy } from './signatures/public-key';
import { SignatureReader, type SignedText } from './signatures/signature-rule';
import { missing, refused, type Refused } from './verdict';
import type { CertificateRule, PublicKeyVerification } from './verification';
import type { CompiledVerifier, VerifierTools } from './verifier';
import { holderOf, wrongSecret } from './verify-token';

const hasSecretPart = ({ signed }: PublicKeyVerification): boolean => signed.includes('{secret}');

/** Whether a public key verifies only together with a secret of the source. */
export function isBoundToSecret(rule: PublicKeyVerification): boolean {
  return rule.certificate === undefined || rule.certificate.recipient !== undefined || hasSecretPart(rule);
}

/**
 * Signatures by the key of a certificate that the provider serves. It is the provider's because of where it was fetched
 * from. Everything that can be checked without it is checked first, so that strangers cause few fetches.
 * @throws TemplateError
 */
export function compileCertificate(
  rule: PublicKeyVerification,
  certificate: CertificateRule,
  secrets: readonly string[],
  tools: VerifierTools,
): CompiledVerifier {
  const reader = new SignatureReader(rule);
  const digestOf = compileDigest(rule);
  const candidatesOf = compileCandidates(rule, certificate, secrets);
  const urlOf = compileUrl(certificate);
  return async (request) => {
    const candidates = candidatesOf(request);
    if (!Array.isArray(candidates)) return candidates;
    const signed: { secret: string | undefined; texts: SignedText[] }[] = [];
    for (const secret of candidates) {
      const texts = reader.read(request, secret);
      if ('verified' in texts) return texts;
      signed.push({ secret, texts });
    }
    const digest = digestOf(request);
    if (typeof digest !== 'string') return digest;
    const url = urlOf(request);
    if ('verified' in url) return url;
    const fetched = await tools.certificate(url);
    const unfit = refusalOf(fetched, rule, request.facts.receivedAt);
    if (unfit) return unfit;
    const isRight = (text: SignedText): boolean => isSignedBy(fetched.publicKey, text, rule, digest);
    const [right] = signed.filter(({ texts }) => texts.every(isRight));
    if (!right) return reader.wrong(signed[0]?.texts[0] as SignedText, secrets.length, signed[0]?.secret);
    return { verified: true, keyHint: right.secret === undefined ? undefined : keyHint(right.secret) };
  };
}

/** Returns the secrets that the request may be meant for; undefined stands for none. */
function compileCandidates(
  rule: PublicKeyVerification,
  { recipient }: CertificateRule,
  secrets: readonly string[],
): (request: ReceivedRequest) => (string | undefined)[] | Refused {
  if (recipient === undefined) {
    const all = hasSecretPart(rule) ? [...secrets] : [undefined];
    return () => (all.length > 0 ? all : wrongSecret('the signed text', 0));
  }
  const template = compileTemplate(recipient);
  return (request) => {
    const sent = template.render(request);
    if ('missing' in sent) return missing(sent.missing);
    const holder = holderOf(sent.text, secrets);
    return holder === undefined ? wrongSecret(recipient, secrets.length) : [holder];
  };
}

function compileUrl({ url, hosts }: CertificateRule): (request: ReceivedRequest) => AllowedUrl | Refused {
  const template = compileTemplate(url);
  const allow = compilePlaces(hosts);
  return (request) => {
    const sent = template.render(request);
    if ('missing' in sent) return missing(sent.missing);
    const allowed = allow(sent.text);
    return allowed ?? refused('signature-invalid', `The certificate in ${url} is not at ${hosts.join(' or ')}.`);
  };
}

function refusalOf(certificate: X509Certificate, rule: PublicKeyVerification, now: Date): Refused | undefined {
  const { validFrom, validTo, publicKey } = certificate;
  if (now < new Date(validFrom) || now > new Date(validTo)) {
    return refused('signature-invalid', `The certificate is valid from ${validFrom} to ${validTo} only.`);
  }
  if (isKeyFor(publicKey, rule)) return undefined;
  return refused('signature-invalid', `The certificate holds no key for ${rule.scheme}.`);
}
