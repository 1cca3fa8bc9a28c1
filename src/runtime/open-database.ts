import type { Settings } from '../config/settings';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres';

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
  return { url: settings.DATABASE_URL, directory: undefined, stop: () => Promise.resolve() };
}
