import { parseArgs } from 'node:util';
import { Inconclusive } from './inconclusive';
import type { Choice } from './plan';
import { shrink } from './shrink';
import { verify, type Run } from './verify';

/** Exit codes, as in docs/verify.md. */
const KEPT = 0;
const BROKEN = 1;
const INCONCLUSIVE = 3;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      faults: { type: 'string' },
      kinds: { type: 'string' },
      'rest-seconds': { type: 'string' },
      shrink: { type: 'boolean' },
    },
  });
  const { seed, seconds, faults, kinds } = values;
  const choice: Choice = {
    ...(faults !== undefined && { numbers: faults.split(',').map(Number) }),
    ...(kinds !== undefined && { kinds: kinds.split(',') }),
  };
  const run: Run = {
    seed: Number(seed),
    seconds: Number(seconds),
    restSeconds: Number(values['rest-seconds']),
    choice,
    say,
  };
  try {
    const finished = await verify(run);
    if (finished.result.violations.length === 0) return KEPT;
    if (values.shrink) await shrink(run, finished);
    return BROKEN;
  } catch (error) {
    if (!(error instanceof Inconclusive)) throw error;
    say(`inconclusive: ${error.message}`);
    return INCONCLUSIVE;
  }
}

// Exit even if sockets or child processes are still open.
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    say('inconclusive: the fault suite itself failed');
    process.exit(INCONCLUSIVE);
  },
);
