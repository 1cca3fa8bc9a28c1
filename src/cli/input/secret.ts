import type { Cli } from '../cli';
import { usageError } from '../cli-error';

/** Reads a secret from the variable that an option names: command lines can be read by other users of the machine. */
export function secretOf(cli: Cli, variable: string): string {
  const secret = cli.around.env[variable];
  if (secret !== undefined && secret !== '') return secret;
  throw usageError(`The variable ${variable} is not set. Set it to the secret.`);
}
