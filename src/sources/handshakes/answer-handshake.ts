import { createHmac } from 'node:crypto';
import type { SourceAnswer } from '../directory/answers';
import { compilePlaces, type AllowedUrl } from '../fetching/allowed-url';
import type { ReceivedRequest } from '../request/received-request';
import { compileTemplate, type Template } from '../request/template';
import { TemplateError } from '../request/template-parts';
import type { Scheme } from '../verification/verification';
import type { Handshake, HandshakeAnswer, HmacOf } from './handshake';

/** The answer to a handshake, and the URL to fetch before it is sent. */
export interface HandshakePlan {
  confirm: AllowedUrl | undefined;
  answer: SourceAnswer & { headers: Readonly<Record<string, string>> };
}

export interface CompiledHandshake {
  /** Whether only verified requests are this handshake. */
  verified: boolean;
  /** Returns undefined if the request is not this handshake, or lacks a part of the answer. */
  plan(request: ReceivedRequest, newestSecret: string | undefined): HandshakePlan | undefined;
}

/** A text of a request; undefined if the request does not have it. */
type TextOf = (request: ReceivedRequest, newestSecret: string | undefined) => string | undefined;

/** Of an answer, which repeats what the request says. */
const MAX_CHARACTERS = 8_192;
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/** Schemes whose requests carry a credential instead of a signature over the text that the handshake would sign. */
const CREDENTIAL_SCHEMES: ReadonlySet<Scheme> = new Set(['jwt', 'token', 'basic']);

/**
 * Compiles the handshakes of a source, without those that its scheme does not protect from misuse. Requests of the ones
 * left out are events like any other.
 * @throws TemplateError
 */
export function compileHandshakes(handshakes: readonly Handshake[], scheme: Scheme): CompiledHandshake[] {
  return handshakes.filter((one) => isSafe(one, scheme)).map(compileHandshake);
}

/** With a credential, whoever has seen one request could have texts of their choice signed with the key. */
function isSafe(handshake: Handshake, scheme: Scheme): boolean {
  if (scheme === 'none') return !needsVerified(handshake);
  return !CREDENTIAL_SCHEMES.has(scheme) || !answersWithHmac(handshake);
}

/**
 * Compiles a handshake once for all requests.
 * @throws TemplateError, also for a handshake that would sign texts or fetch URLs for strangers
 */
export function compileHandshake(handshake: Handshake): CompiledHandshake {
  const { verified, confirm } = handshake;
  if (!verified && needsVerified(handshake)) {
    throw new TemplateError(`${handshake.name} answers with an HMAC or fetches a URL, so it must be verified.`);
  }
  const isMeant = compileWhen(handshake.when);
  const answerOf = compileAnswer(handshake.answer);
  const allow = confirm && compilePlaces(confirm.hosts);
  const confirmUrl = confirm && textOf(confirm.url);
  return {
    verified,
    plan(request, newestSecret) {
      const answer = isMeant(request) ? answerOf(request, newestSecret) : undefined;
      if (!answer || !allow || !confirmUrl) return answer && { confirm: undefined, answer };
      const url = confirmUrl(request, undefined);
      const allowed = url === undefined ? undefined : allow(url);
      return allowed && { confirm: allowed, answer };
    },
  };
}

/** Whether strangers could misuse a handshake: have texts signed, or URLs fetched. */
export function needsVerified({ confirm, answer }: Handshake): boolean {
  return confirm !== undefined || answersWithHmac({ answer });
}

function answersWithHmac({ answer }: Pick<Handshake, 'answer'>): boolean {
  return Object.values(answer.json ?? {}).some((value) => typeof value === 'object');
}

function compileWhen({ method, has, equals }: Handshake['when']): (request: ReceivedRequest) => boolean {
  const present = has === undefined ? undefined : textOf(has);
  const compared = equals && textOf(equals.value);
  return (request) => {
    if (method !== undefined && request.facts.method !== method) return false;
    if (present && (present(request, undefined) ?? '') === '') return false;
    return compared === undefined || compared(request, undefined) === equals?.text;
  };
}

function textOf(template: string): TextOf {
  return reader(compileTemplate(template));
}

function reader(template: Template): TextOf {
  return (request) => {
    const rendered = template.render(request);
    return 'missing' in rendered || rendered.bytes.length > MAX_CHARACTERS ? undefined : rendered.text;
  };
}

function compileAnswer({ status = 200, headers = {}, text, json }: HandshakeAnswer) {
  const headersOf = compileTexts(headers);
  const bodyOf = text === undefined ? json && compileJson(json) : textOf(text);
  const contentType = text === undefined ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8';
  return (request: ReceivedRequest, secret: string | undefined): HandshakePlan['answer'] | undefined => {
    const sent = headersOf(request, secret);
    const body = bodyOf?.(request, secret);
    if (!sent || (bodyOf && body === undefined) || !Object.values(sent).every((one) => HEADER_VALUE.test(one))) {
      return undefined;
    }
    // What a stranger wrote must not run as a page of this host.
    const safe = { 'x-content-type-options': 'nosniff', ...sent };
    return { status, headers: safe, ...(body === undefined ? {} : { body, contentType }) };
  };
}

type Texts = Readonly<Record<string, string>>;

function compileTexts(templates: Texts): (...of: Parameters<TextOf>) => Texts | undefined {
  const readers = Object.entries(templates).map(([name, template]) => [name, textOf(template)] as const);
  return (request, secret) => {
    const texts = readers.map(([name, read]) => [name, read(request, secret)] as const);
    return texts.every(isPresent) ? Object.fromEntries(texts) : undefined;
  };
}

const isPresent = <T>(entry: readonly [string, T | undefined]): entry is readonly [string, T] => entry[1] !== undefined;

function compileJson(json: NonNullable<HandshakeAnswer['json']>): TextOf {
  const members = Object.entries(json).map(([name, value]) => [name, compileMember(value)] as const);
  return (request, secret) => {
    const values = members.map(([name, read]) => [name, read(request, secret)] as const);
    return values.every(isPresent) ? JSON.stringify(Object.fromEntries(values)) : undefined;
  };
}

function compileMember(value: string | number | HmacOf): (...of: Parameters<TextOf>) => string | number | undefined {
  if (typeof value === 'number') return () => value;
  if (typeof value === 'string') return textOf(value);
  const signed = textOf(value.hmac);
  return (request, secret) => {
    const text = signed(request, secret);
    if (text === undefined || secret === undefined) return undefined;
    return createHmac(value.algorithm, secret).update(text).digest(value.encoding);
  };
}
