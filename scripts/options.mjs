import process from 'node:process';
import { parseArgs } from 'node:util';

/** Parses these options. `--help` prints the usage. Unknown options and invalid values print it too, with exit code 2. */
export function optionsOr(usage, options, valid = () => true) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
    if (values.help) {
      process.stdout.write(`Usage: ${usage}\n`);
      process.exit(0);
    }
    if (valid(values)) return values;
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
  }
  process.stderr.write(`Usage: ${usage}\n`);
  process.exit(2);
}
