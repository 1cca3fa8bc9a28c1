import { TemplateError } from '../../request/template-parts';
import type { BodyDigestRule, HmacVerification, PublicKeyVerification, TimestampRule } from '../verification';

type Rule = Pick<HmacVerification | PublicKeyVerification, 'signed' | 'each' | 'timestamp' | 'bodyDigest'>;

const PARTS = /\{[^{}]*\}/g;
const OF_THE_BODY = /^\{(?:body|form\??|sha256|crc32|(?:body|lines):.*)\}$/s;
const OF_THE_WHOLE_BODY = ['{body}', '{sha256}', '{crc32}', '{form}', '{form?}'];
const OF_THE_WHOLE_URL = ['{url}', '{decodedUrl}'];

/**
 * Checks that the signed text contains something of the body, the time whose age is checked, and the digest of the body
 * if there is one. Whoever has seen one request could otherwise change them.
 * @throws TemplateError
 */
export function checkSignedPlaces({ signed, each, timestamp, bodyDigest }: Rule): void {
  const parts = partsOf(signed);
  if (!bodyDigest && !parts.some((part) => OF_THE_BODY.test(part))) {
    throw new TemplateError('signed must contain a part of the body, such as {body}.', '/signed');
  }
  const isSigned = (place: string): boolean => covers(parts, place, each !== undefined);
  if (bodyDigest && !placesOfDigest(bodyDigest).some(isSigned)) {
    throw new TemplateError(`signed must contain the digest of the body, ${bodyDigest.value}.`, '/bodyDigest');
  }
  if (!timestamp || (bodyDigest && isInBody(timestamp))) return;
  const places = placesOfTime(timestamp);
  if (places.length === 0 || !places.every(isSigned)) {
    const place = timestamp.value ?? places.join('');
    throw new TemplateError(`signed must contain the time, ${place}. Otherwise anybody could change it.`, '/timestamp');
  }
}

const partsOf = (template: string): string[] => (template.match(PARTS) ?? []).map(normalized);
const placesOfDigest = ({ value }: BodyDigestRule): string[] => partsOf(value);

function placesOfTime({ header, part, value }: TimestampRule): string[] {
  if (value !== undefined) return partsOf(value);
  return [normalized(`{header:${header}${part === undefined ? '' : `/${part}`}}`)];
}

function isInBody(timestamp: TimestampRule): boolean {
  const places = placesOfTime(timestamp);
  return places.length > 0 && places.every((place) => place.startsWith('{body:'));
}

/** Names of headers have no case, and it does not matter here which places may be absent. */
function normalized(part: string): string {
  if (OF_THE_WHOLE_BODY.includes(part)) return part;
  const name = part.replace(/\?\}$/, '}');
  const header = /^\{header:([^/]*)(.*)\}$/s.exec(name);
  return header ? `{header:${header[1]?.toLowerCase()}${header[2]}}` : name;
}

/** @param hasItems whether `{body:…}` of the signed text refers to an item of `each`, and not to the body */
function covers(signed: readonly string[], place: string, hasItems: boolean): boolean {
  const has = (...wholes: string[]): boolean => wholes.some((whole) => signed.includes(whole));
  if (place.startsWith('{body:')) {
    if (has(...OF_THE_WHOLE_BODY)) return true;
    return !hasItems && (has(place) || pointersOfLines(signed).includes(place.slice('{body:'.length, -1)));
  }
  if (place.startsWith('{header:')) return has(place, `${place.split('/', 1)[0]?.replace(/\}$/, '')}}`);
  if (place.startsWith('{query:') || place === '{path}') return has(place, ...OF_THE_WHOLE_URL);
  return has(place);
}

function pointersOfLines(parts: readonly string[]): string[] {
  const lines = parts.filter((part) => part.startsWith('{lines:'));
  return lines.flatMap((part) => part.slice('{lines:'.length, -1).split(',')).map((name) => name.replace(/\?$/, ''));
}
