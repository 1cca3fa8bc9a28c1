import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

/** The values of these options. `--help` prints the usage; what is unknown or not `valid` ends with it and exit code 2. */
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

/** Suites that print their own report; Jest is only what runs their TypeScript. Ends with its exit code. */
export function runByJest(config, env) {
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--config', config];
  const cwd = path.resolve(import.meta.dirname, '..');
  const { status } = spawnSync(process.execPath, jest, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
  process.exit(status ?? 1);
}
