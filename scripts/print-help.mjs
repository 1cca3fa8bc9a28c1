/**
 * Prints the comment at the top of the script that runs, and ends the process, if it was started with --help. Scripts
 * import this before anything that takes time.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

if (process.argv.includes('--help')) {
  const [, comment] = /\/\*\*\n([^]*?)\n? *\*\//.exec(readFileSync(process.argv[1], 'utf8')) ?? [];
  process.stdout.write(`${(comment ?? '').replaceAll(/^ \* ?/gm, '')}\n`);
  process.exit(0);
}
