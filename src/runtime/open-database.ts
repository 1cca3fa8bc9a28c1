import type { Settings } from '../config/settings';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres';
import { withPasswordOf } from '../db/password-file';

export interface OpenDatabase {
  url: string;
  /** Data directory of the embedded PostgreSQL; undefined for the server of DATABASE_URL. */
  directory: string | undefined;
  /** Stops the embedded PostgreSQL if this process started it. */
  stop(): Promise<void>;
}

/** Opens the server of DATABASE_URL, or the embedded PostgreSQL, which it starts unless it is running. */
export async function openDatabase(settings: Settings): Promise<OpenDatabase> {
  if (settings.DATABASE_URL === undefined) return startEmbeddedPostgres(settings.STREAMFORGE_DATA_DIR);
  return { url: databaseUrlOf(settings.DATABASE_URL, settings), directory: undefined, stop: () => Promise.resolve() };
}

/**
 * Returns the URL with the password of DATABASE_PASSWORD_FILE, if it is set.
 * @throws if the file cannot be read
 */
export function databaseUrlOf(
  url: string,
  { DATABASE_PASSWORD_FILE: file }: Pick<Settings, 'DATABASE_PASSWORD_FILE'>,
): string {
  if (file === undefined) return url;
  try {
    return withPasswordOf(file, url);
  } catch (error) {
    throw new Error(`DATABASE_PASSWORD_FILE: ${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
