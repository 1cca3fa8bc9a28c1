import { parseArgs } from 'node:util';
import { closeAll } from '../support/broker/closing';
import globalSetup from '../support/jest/global-setup';
import globalTeardown from '../support/jest/global-teardown';
import { Drill, PART_NAMES } from './drill';
import { drillTable, type Tally } from './table';

const USAGE = `Usage: npm run failover:drill -- [--events N]
Fails over to a standby that lacks the last commits, then to a synchronous one, then restores a dump in place, then
recovers a base backup and a WAL archive to a point in time, on private servers. Finds what was lost with the commands of
docs/failover.md, and sends it again. N events (100 by default) are in each of the states that matter.
Exit code 0: everything adds up. 1: something does not.
`;
const EVENTS = 100;
const LEAST_EVENTS = 3;
const WRONG_USAGE = 2;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Undefined if the usage is asked for, or is wrong. */
function eventsAskedFor(): number | undefined {
  try {
    const { values } = parseArgs({ options: { events: { type: 'string' }, help: { type: 'boolean' } } });
    const each = Number(values.events ?? EVENTS);
    return values.help || !Number.isSafeInteger(each) || each < LEAST_EVENTS ? undefined : each;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const each = eventsAskedFor();
  if (each === undefined) {
    process.stderr.write(USAGE);
    return WRONG_USAGE;
  }
  await globalSetup();
  try {
    const drill = await Drill.start();
    const columns: [string, Tally][] = [];
    let hasPassed = true;
    for (const part of PART_NAMES) {
      const result = await drill.run(part, each, say);
      columns.push([part, result.tally]);
      hasPassed &&= result.hasPassed;
    }
    say(`\n${drillTable(columns)}\n\n${hasPassed ? 'PASS: everything adds up' : 'FAIL'}`);
    return hasPassed ? 0 : 1;
  } finally {
    await closeAll();
    await globalTeardown();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeAll().finally(() => globalTeardown().finally(() => process.exit(1))));
}
// Exit even if sockets or child processes are still open.
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
