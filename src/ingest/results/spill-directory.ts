import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Settings } from '../../config/settings';

/** Opens a file that exists until it is closed, also after a crash of this process. @throws Error of the system */
export function openUnnamed(directory: string): number {
  const name = `streamforge-response-${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  const file = path.join(directory, name);
  const descriptor = fs.openSync(file, 'wx+', 0o600);
  fs.unlinkSync(file);
  return descriptor;
}

/** Returns why no file can be made in a directory, or undefined if one can. */
export function refusalOf(directory: string): string | undefined {
  try {
    fs.closeSync(openUnnamed(directory));
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Called before anything is started. @throws Error when SPILL_DIRECTORY is set and cannot be used */
export function requireSpillDirectory({
  APP_ROLE,
  SPILL_DIRECTORY: directory,
  SPILL_MAX_BYTES,
}: Pick<Settings, 'APP_ROLE' | 'SPILL_DIRECTORY' | 'SPILL_MAX_BYTES'>): void {
  if (directory === undefined || SPILL_MAX_BYTES === 0 || !APP_ROLE.includes('api')) return;
  const refusal = refusalOf(directory);
  if (refusal === undefined) return;
  throw new Error(
    `SPILL_DIRECTORY: no file can be made in ${directory} (${refusal}). Mount a writable volume there, or unset it.`,
  );
}
