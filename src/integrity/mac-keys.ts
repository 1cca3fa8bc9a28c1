import type { Mac } from './mac';

/** Gives the Mac of this installation. The broker and the cache ask for it; src/installation/ provides it. */
export abstract class MacKeys {
  /** Returns the Mac as it was last read; undefined if it is not known. Then nothing is signed, and nothing is trusted. */
  abstract current(): Mac | undefined;

  /**
   * Reads the key if it is not known, and returns the Mac; undefined if this process cannot open the key.
   * @throws if PostgreSQL cannot be reached
   */
  abstract load(): Promise<Mac | undefined>;

  /**
   * Reads the keys anew, because something is signed with a key that is not known: another process may have stored one
   * lately. The read begins after the call, at most ten times a second.
   * @throws if PostgreSQL cannot be reached
   */
  abstract reload(): Promise<Mac | undefined>;
}

/** For a process without an installation, such as a test of a broker. */
export class NoMacKeys extends MacKeys {
  current(): undefined {
    return undefined;
  }

  load(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  reload(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
