import { parseArgs } from 'node:util';
import globalSetup from '../support/jest/global-setup';
import globalTeardown from '../support/jest/global-teardown';
import { runScenario, SCENARIOS } from './run-scenario';

const USAGE = `Usage: npm run deliveries:proof -- [--only ${Object.keys(SCENARIOS).join('|')}] [--events N]
Proves what docs/deliveries.md promises, on private servers. Exit code 0: every figure passes. 1: one does not.
What receivers may send around a success is a test: npm run test:only -- untidy-responses
`;
const WRONG_USAGE = 2;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Chosen {
  names: string[];
  events: number | undefined;
}

/** Undefined if the options are wrong. @throws for unknown ones */
function chosen(): Chosen | undefined {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, events: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return undefined;
  const names = values.only === undefined ? Object.keys(SCENARIOS) : [values.only];
  const events = values.events === undefined ? undefined : Number(values.events);
  const isWrong = names.some((name) => !(name in SCENARIOS)) || (events !== undefined && !(events >= 1));
  return isWrong ? undefined : { names, events };
}

async function main(): Promise<number> {
  const choice = chosen();
  if (!choice) {
    process.stderr.write(USAGE);
    return WRONG_USAGE;
  }
  await globalSetup();
  try {
    let passed = true;
    for (const name of choice.names) {
      const scenario = SCENARIOS[name];
      if (!scenario) continue;
      const events = choice.events ?? scenario.events;
      const run = runScenario(name, (installation, report) => scenario.run(installation, { events }, report), say);
      passed = (await run) && passed;
    }
    say(passed ? 'PASS' : 'FAIL');
    return passed ? 0 : 1;
  } finally {
    await globalTeardown();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void globalTeardown().finally(() => process.exit(1)));
}
// Exit even if sockets or child processes are still open.
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
