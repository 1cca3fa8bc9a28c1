import { isProtectedUrl } from '../../config/oidc-kinds';

const MAX_ANSWER_BYTES = 262_144;

export type FetchOptions = Parameters<typeof fetch>[1];

/** What `/.well-known/openid-configuration` says, not verified but for the issuer. */
export type IssuerConfiguration = Readonly<Record<string, unknown>>;

/** @throws if the issuer does not answer, or with the configuration of another issuer */
export async function readConfiguration(issuer: string, options: FetchOptions): Promise<IssuerConfiguration> {
  const read = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, options);
  const configuration = (read ?? {}) as IssuerConfiguration;
  const { issuer: named } = configuration;
  if (named !== issuer) throw new Error(`The configuration is of the issuer ${JSON.stringify(named)}.`);
  return configuration;
}

/** @throws if the configuration has no such URL, or one that protects nothing */
export function protectedUrl(name: string, url: unknown): string {
  if (typeof url !== 'string' || !isProtectedUrl(url)) throw new Error(`${name} is not a URL with https:.`);
  return url;
}

/** @throws if the response has another status than 200, more than 256 KiB, or no JSON */
export async function fetchJson(url: string, options: FetchOptions): Promise<unknown> {
  const { status, text } = await fetchText(url, options);
  if (status !== 200) throw new Error(`${url} answered ${status}.`);
  return JSON.parse(text);
}

/** @throws if there is no response, or one of more than 256 KiB */
export async function fetchText(url: string, options: FetchOptions): Promise<{ status: number; text: string }> {
  const response = await fetch(url, options);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`${url} has more than ${MAX_ANSWER_BYTES} bytes.`);
    parts.push(part);
  }
  return { status: response.status, text: Buffer.concat(parts).toString() };
}
