import { TemplateError } from '../request/template-parts';

/**
 * Places of a provider that may be fetched from, because a request names the exact URL. Each is a host, in which `*`
 * stands for a whole label that is the name of a cloud region, with what the rest of the URL begins with:
 * `api.paypal.com/v1/notifications/certs/`, `sns.*.amazonaws.com/SimpleNotificationService-`.
 */
export type AllowedPlaces = readonly string[];

declare const checked: unique symbol;

/** A URL that was found to be in one of the allowed places. */
export interface AllowedUrl {
  readonly href: string;
  /** The place that it is in. */
  readonly place: string;
  readonly [checked]: true;
}

/** Decides whether a URL is in one of the places. */
export type AllowUrl = (url: string) => AllowedUrl | undefined;

const LONGEST_URL = 2_048;
/** `eu-central-1`, `us-gov-west-1`; not `s3-us-west-2`, below which anybody can own a name. */
const REGION = /^[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}$/;
/** The last two labels must be names: they say whose the host is. */
const PLACE = /^(?:(?:\*|[a-z0-9-]+)\.)*[a-z0-9-]+\.[a-z]+(?:\/[^\s%#]*)?$/;

/** @throws TemplateError */
export function compilePlaces(places: AllowedPlaces): AllowUrl {
  const bad = places.find((place) => !PLACE.test(place));
  if (bad !== undefined) {
    throw new TemplateError(
      `${JSON.stringify(bad)} must be a host, such as api.example.com or sns.*.amazonaws.com, with or without a path.`,
    );
  }
  return (text) => {
    if (text.length > LONGEST_URL || !URL.canParse(text)) return undefined;
    const url = new URL(text);
    const place = isPlain(url) ? places.find((one) => isIn(url, one)) : undefined;
    return place === undefined ? undefined : ({ href: url.href, place } as AllowedUrl);
  };
}

/** Returns a URL that an operator has configured: it may be anywhere. @throws TemplateError */
export function configuredUrl(text: string): AllowedUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new TemplateError(`${JSON.stringify(text)} must be a URL with https, and without credentials.`);
  }
  return { href: url.href, place: url.origin } as AllowedUrl;
}

const isPlain = (url: URL): boolean =>
  url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === '' && url.hash === '';

function isIn(url: URL, place: string): boolean {
  const slash = place.indexOf('/');
  const host = slash < 0 ? place : place.slice(0, slash);
  return isHost(url.hostname, host) && (slash < 0 || isBelow(url, place.slice(slash)));
}

function isHost(hostname: string, pattern: string): boolean {
  const labels = hostname.split('.');
  const wanted = pattern.split('.');
  if (labels.length !== wanted.length) return false;
  return wanted.every((label, i) => (label === '*' ? REGION.test(labels[i] as string) : label === labels[i]));
}

/** Escapes in the path could mean another place to the server. A query is allowed only where the place has one. */
function isBelow({ pathname, search }: URL, start: string): boolean {
  if (!(pathname + search).startsWith(start) || pathname.includes('%')) return false;
  return search === '' || start.includes('?');
}
