import { parseArgs } from 'node:util';
import globalSetup from '../support/jest/global-setup';
import globalTeardown from '../support/jest/global-teardown';
import { proveErasure } from './prove-erasure';

const USAGE = `Usage: npm run erasure:proof -- [--events N]
Erases one subject among N events (1000000 by default), on private servers, and then searches everything for its
payloads. Exit code 0: nothing is found, and the dry run was right. 1: otherwise.
`;
const EVENTS = 1_000_000;
const LEAST_EVENTS = 1_000;
const WRONG_USAGE = 2;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { events: { type: 'string' }, help: { type: 'boolean' } } });
  const events = Number(values.events ?? EVENTS);
  if (values.help || !Number.isSafeInteger(events) || events < LEAST_EVENTS) {
    process.stderr.write(USAGE);
    return WRONG_USAGE;
  }
  await globalSetup();
  try {
    const hasPassed = await proveErasure(events, (line) => void process.stdout.write(`${line}\n`));
    return hasPassed ? 0 : 1;
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
