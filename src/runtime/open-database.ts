import type { Settings } from '../config/settings';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres';

export interface OpenDatabase {
  url: string;
  /** Where the embedded PostgreSQL keeps its data; undefined for the server of DATABASE_URL. */
  directory: string | undefined;
  /** Stops the embedded PostgreSQL if this process started it. */
  stop(): Promise<void>;
}

/** The server of DATABASE_URL, or the embedded PostgreSQL, which is started if nobody else has. */
export async function openDatabase(settings: Settings): Promise<OpenDatabase> {
  if (settings.DATABASE_URL === undefined) return startEmbeddedPostgres(settings.STREAMFORGE_DATA_DIR);
  return { url: settings.DATABASE_URL, directory: undefined, stop: () => Promise.resolve() };
}
