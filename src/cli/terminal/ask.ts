import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Readable } from 'node:stream';
import type { Terminal } from './output';

/** Where questions are asked: a person is there only if both ends are a terminal. */
export interface Asking {
  stdin: Readable & { isTTY?: boolean };
  /** Questions go here, so that they are no part of the result. */
  stderr: Terminal;
}

export const canAsk = ({ stdin, stderr }: Asking): boolean => stdin.isTTY === true && stderr.isTTY === true;

export async function ask(asking: Asking, question: string): Promise<string> {
  const lines = createInterface({ input: asking.stdin, output: asking.stderr, terminal: true });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}

/** Asks for a secret: what is typed is not shown. */
export async function askSecretly(asking: Asking, question: string): Promise<string> {
  asking.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: asking.stdin, output: nowhere, terminal: true });
  try {
    return (await lines.question('')).trim();
  } finally {
    lines.close();
    asking.stderr.write('\n');
  }
}
