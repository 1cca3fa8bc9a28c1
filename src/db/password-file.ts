import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Client, type ClientConfig } from 'pg';

const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '');

/**
 * Returns the URL with the password of DATABASE_PASSWORD_FILE, for connections that are made once.
 * @throws if the file cannot be read
 */
export function withPasswordOf(file: string, databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password = encodeURIComponent(withoutLineEnd(readFileSync(file, 'utf8')));
  return url.href;
}

/**
 * A client that reads the password from a file whenever it connects. A pool of such clients goes on with the next
 * connection after the password was rotated and the file was written. (Beside a connection string, pg ignores a password
 * in the configuration.)
 */
export function clientWithPasswordOf(file: string): typeof Client {
  return class extends Client {
    constructor(config?: string | ClientConfig) {
      super(config);
      Object.assign(this, { password: () => readPassword(file) });
    }
  };
}

/** Fails as a refused password does: whoever rotates it may be replacing the file. */
async function readPassword(file: string): Promise<string> {
  try {
    return withoutLineEnd(await readFile(file, 'utf8'));
  } catch (cause) {
    const message = `DATABASE_PASSWORD_FILE cannot be read: ${(cause as Error).message}`;
    throw Object.assign(new Error(message, { cause }), { code: '28P01' });
  }
}
