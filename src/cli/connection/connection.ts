import { usageError } from '../cli-error';
import type { Profile, ProfileFile } from './profile-file';

/** Where a command goes, and as whom. */
export interface CliConnection {
  /** Without a slash at the end. */
  url: string;
  token?: string;
  key?: string;
  tenant?: string;
  /** The profile that was used. */
  profile?: string;
}

/** What the command line says. The token is not there: other users of the machine see command lines. */
export interface NamedConnection {
  profile?: string;
  url?: string;
  tenant?: string;
}

type Environment = Record<string, string | undefined>;

const DEFAULT_URL = 'http://127.0.0.1:3000';

/**
 * Decides the connection: the command line, then the environment, then the profile. Credentials of a profile are used only
 * for the profile's own URL.
 * @throws CliError when there is no such profile, or the URL is none
 */
export function connectionOf(named: NamedConnection, env: Environment, file: ProfileFile): CliConnection {
  const name = named.profile ?? given(env.STREAMFORGE_PROFILE) ?? file.current;
  const profile = profileNamed(name, file);
  const own = originOf(profile.url ?? DEFAULT_URL);
  const url = originOf(named.url ?? given(env.STREAMFORGE_URL) ?? own);
  const credentials: Profile = url === own ? profile : {};
  return {
    url,
    token: given(env.STREAMFORGE_TOKEN) ?? credentials.token,
    key: given(env.STREAMFORGE_KEY) ?? credentials.key,
    tenant: named.tenant ?? given(env.STREAMFORGE_TENANT) ?? profile.tenant,
    profile: name,
  };
}

function profileNamed(name: string | undefined, file: ProfileFile): Profile {
  if (name === undefined) return {};
  const profile = Object.hasOwn(file.profiles, name) ? file.profiles[name] : undefined;
  if (profile !== undefined) return profile;
  const names = Object.keys(file.profiles);
  throw usageError(
    `There is no profile "${name}". ${names.length === 0 ? 'There are none yet: run "streamforge profiles add NAME".' : `There are: ${names.join(', ')}.`}`,
  );
}

/** @throws CliError when the text is no URL of http or https, or has credentials in it */
export function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw usageError(`"${text}" is no URL of an installation. It looks like https://events.example.com.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw usageError('The URL has credentials in it. Set STREAMFORGE_TOKEN instead.');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Whether everybody on the way can read the token. */
export function isReadableOnTheWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** An empty variable counts as none, as shells make it easy to set one. */
const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
