import { Problem } from '../event/problems';

/** One element of an Accept header, such as `text/*;q=0.5`. */
interface MediaRange {
  type: string;
  subtype: string;
  quality: number;
}

/** How much a client wants a media type. */
interface Preference {
  /** From 0, refused, to 1. */
  quality: number;
  /** 0: by the wildcard for all types, 1: by one like `text/*`, 2: by its name. */
  specificity: number;
}

/**
 * Returns the media type that the client prefers (RFC 9110, section 12.5.1). Of equally wanted types, one that the
 * client names comes before one that only a wildcard matches; otherwise the first of `offers`. Parameters other than
 * `q` are ignored: no endpoint has versions of a media type.
 * @throws Problem `not-acceptable` when the client accepts none of them
 */
export function preferredType<T extends string>(accept: string | undefined, offers: readonly [T, ...T[]]): T {
  const ranges = rangesOf(accept ?? '');
  if (ranges.length === 0) return offers[0];
  let best: { offer: T; preference: Preference } | undefined;
  for (const offer of offers) {
    const preference = preferenceFor(offer, ranges);
    if (!preference || preference.quality === 0) continue;
    if (!best || isStronger(preference, best.preference)) best = { offer, preference };
  }
  if (!best) throw notAcceptable(offers);
  return best.offer;
}

/**
 * Returns the problem of a client that gives every representation of an endpoint the quality 0. An endpoint with one
 * representation sends it to all other clients, whatever they prefer.
 */
export function refusesAll(accept: string, offers: readonly string[]): Problem | undefined {
  const ranges = rangesOf(accept);
  const refused = offers.every((offer) => preferenceFor(offer, ranges)?.quality === 0);
  return refused ? notAcceptable(offers) : undefined;
}

function isStronger(one: Preference, other: Preference): boolean {
  return one.quality === other.quality ? one.specificity > other.specificity : one.quality > other.quality;
}

/** Returns the preference of the most specific range that matches, or undefined when none matches. */
function preferenceFor(offer: string, ranges: readonly MediaRange[]): Preference | undefined {
  const [type, subtype] = offer.split('/');
  let best: Preference | undefined;
  for (const range of ranges) {
    const matches = (range.type === type || range.type === '*') && (range.subtype === subtype || range.subtype === '*');
    const specificity = range.type === '*' ? 0 : range.subtype === '*' ? 1 : 2;
    if (matches && (!best || specificity > best.specificity)) best = { quality: range.quality, specificity };
  }
  return best;
}

/** A comma or semicolon inside a quoted string separates nothing. */
const ELEMENT = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;
const MEDIA_RANGE = /^\s*([\w!#$%&'*+.^`|~-]+)\/([\w!#$%&'*+.^`|~-]+)\s*(?:;|$)/;
const QUALITY = /;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)/i;

/** Ignores elements that are not valid. */
function rangesOf(accept: string): MediaRange[] {
  return (accept.match(ELEMENT) ?? []).flatMap((element) => {
    const [, type, subtype] = MEDIA_RANGE.exec(element) ?? [];
    if (type === undefined || subtype === undefined || (type === '*' && subtype !== '*')) return [];
    return [{ type: type.toLowerCase(), subtype: subtype.toLowerCase(), quality: qualityOf(element) }];
  });
}

function qualityOf(element: string): number {
  const quality = QUALITY.exec(element)?.[1];
  return quality === undefined ? 1 : Number(quality);
}

function notAcceptable(offers: readonly string[]): Problem {
  return new Problem('not-acceptable', `The Accept header allows none of ${offers.join(', ')}.`);
}
