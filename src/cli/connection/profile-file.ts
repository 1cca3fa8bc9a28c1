import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { EXIT, CliError, usageError } from '../cli-error';

/** How to reach one installation. */
export interface Profile {
  url?: string;
  /** An operator's token, or ADMIN_TOKEN. */
  token?: string;
  /** An API key of the tenant, to send events with. */
  key?: string;
  tenant?: string;
}

export interface ProfileFile {
  /** The profile that is used when none is named. */
  current?: string;
  profiles: Record<string, Profile>;
}

const FIELDS = ['url', 'token', 'key', 'tenant'] as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A folder of the XDG base directory specification. A relative value is ignored, as it says. */
export function xdgFolder(
  env: Record<string, string | undefined>,
  variable: 'XDG_CONFIG_HOME' | 'XDG_STATE_HOME',
  fallback: '.config' | '.local/state',
): string {
  const named = env[variable];
  const home = named !== undefined && path.isAbsolute(named) ? named : path.join(env.HOME ?? '.', fallback);
  return path.join(home, 'streamforge');
}

export const profilePath = (env: Record<string, string | undefined>): string =>
  path.join(xdgFolder(env, 'XDG_CONFIG_HOME', '.config'), 'profiles.json');

/** @throws CliError when the text is no profile file */
export function parseProfiles(text: string, file: string): ProfileFile {
  const parsed = jsonOf(text, file) as { current?: unknown; profiles?: unknown };
  const profiles = parsed?.profiles;
  if (typeof profiles !== 'object' || profiles === null) {
    throw usageError(`${file} has no "profiles". Correct it, or delete it and run "streamforge profiles add NAME".`);
  }
  return {
    ...(typeof parsed.current === 'string' ? { current: parsed.current } : {}),
    profiles: Object.fromEntries(Object.entries(profiles).map(([name, one]) => [name, profileOf(one, name, file)])),
  };
}

function profileOf(value: unknown, name: string, file: string): Profile {
  const given = (typeof value === 'object' ? value : {}) as Record<string, unknown> | null;
  const known = FIELDS.filter((field) => given?.[field] !== undefined);
  const wrong = known.find((field) => typeof given?.[field] !== 'string');
  if (wrong !== undefined) throw usageError(`${file}: "${wrong}" of the profile ${name} must be a text.`);
  return Object.fromEntries(known.map((field) => [field, given?.[field]]));
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
}

export function checkProfileName(name: string): string {
  if (NAME.test(name)) return name;
  throw usageError(`"${name}" is no name of a profile: use 1 to 64 letters, digits, ".", "_" and "-".`);
}

export function readProfiles(file: string): ProfileFile {
  try {
    return parseProfiles(fs.readFileSync(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: {} };
    if (error instanceof CliError) throw error;
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`, EXIT.failed);
  }
}

/** Replaces the file in one step. Only its owner can read it, since it has tokens. */
export function writeProfiles(file: string, profiles: ProfileFile): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${randomUUID()}`;
  fs.writeFileSync(fresh, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 });
  fs.renameSync(fresh, file);
}
