import { readFile } from 'node:fs/promises';
import type { Cli } from '../cli';
import { usageError } from '../cli-error';

/** The value of an option: the text itself, `-` for standard input, or `@file`. */
export async function givenText(cli: Cli, value: string): Promise<string> {
  if (value === '-') return cli.input();
  return value.startsWith('@') ? fileText(value.slice(1)) : value;
}

export async function fileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
