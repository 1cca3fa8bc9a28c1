import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { xdgFolder } from '../connection/profile-file';
import { usageError } from '../cli-error';

/** How far an import has come. */
export interface ImportProgress {
  file: string;
  /** Everything before it is stored or was refused. */
  offset: number;
  records: number;
  accepted: number;
  duplicates: number;
  rejected: number;
  /** Digest of the last bytes before the offset, by which a file that has changed is noticed. */
  tail: string;
}

const TAIL_BYTES = 64 * 1024;

export const atStart = (file: string): ImportProgress => ({
  ...{ file, offset: 0, records: 0, accepted: 0, duplicates: 0, rejected: 0 },
  tail: digestOf(Buffer.alloc(0)),
});

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The file of the progress of one import: of this file into this tenant of this installation. */
export function progressPath(
  env: Record<string, string | undefined>,
  { url, tenant, file }: { url: string; tenant: string | undefined; file: string },
): string {
  const name = digestOf(Buffer.from(JSON.stringify([url, tenant ?? null, file]))).slice(0, 32);
  return path.join(xdgFolder(env, 'XDG_STATE_HOME', '.local/state'), 'imports', `${name}.json`);
}

export function readImportProgress(place: string): ImportProgress | undefined {
  try {
    return JSON.parse(fs.readFileSync(place, 'utf8')) as ImportProgress;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw usageError(`${place} cannot be read (${(error as Error).message}). Delete it to start from the beginning.`);
  }
}

/** Replaces the file in one step: a crash leaves the one before, and its records are sent again as duplicates. */
export function writeImportProgress(place: string, progress: ImportProgress): void {
  fs.mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
  const fresh = `${place}.${randomUUID()}`;
  fs.writeFileSync(fresh, JSON.stringify(progress), { mode: 0o600 });
  fs.renameSync(fresh, place);
}

export const forgetProgress = (place: string): void => fs.rmSync(place, { force: true });

/** Digest of the last bytes of a file before an offset. */
export function tailOf(file: string, offset: number): string {
  const descriptor = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.min(TAIL_BYTES, offset));
    const read = fs.readSync(descriptor, bytes, 0, bytes.length, offset - bytes.length);
    return digestOf(bytes.subarray(0, read));
  } finally {
    fs.closeSync(descriptor);
  }
}
