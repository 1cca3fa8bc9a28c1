/** The database is not where this installation has been at home. The message says what to do, and names no host. */
export class InstallationMoved extends Error {
  override readonly name = 'InstallationMoved';
}

/**
 * Which installation this process acts for, and whether it may. Broker and deliveries ask before they publish, consume or
 * deliver; src/installation/ provides it.
 */
export abstract class Installation {
  /**
   * Reads the id of the installation; undefined if the process has none, as in a test of a broker.
   * @throws InstallationMoved; the error of PostgreSQL if it cannot be reached
   */
  abstract require(): Promise<string | undefined>;

  /**
   * Returns undefined if the installation may act at once; otherwise a promise that ends as that of `require` does.
   *
   * @param history in which the database has said what to act upon: a database that took the place of another one has
   * another history, also if no connection was lost (a pooler). Without it, only connections tell. The promise rejects
   * with HistoryChanged if the database is in another history
   */
  abstract unconfirmed(history?: string): Promise<unknown> | undefined;

  /** Calls `listener` whenever it turns out that the installation may not act. */
  abstract onMoved(listener: () => void): void;
}

/** For a process that acts for no installation. */
export class NoInstallation extends Installation {
  require(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  unconfirmed(): undefined {
    return undefined;
  }

  onMoved(): void {
    // it never is
  }
}
