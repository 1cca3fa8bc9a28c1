import { parseArgs } from 'node:util';
import { proveConsole, type ProofBounds } from './prove-console';

const USAGE = `Usage: npm run console:proof -- [--events N] [--rounds N] [--seconds N]
Opens every page of the console --rounds times (20) over --events events (1000000), of which a tenth are dead letters in
300 groups, and watches the live page for --seconds (60) at 500 events per second, on private servers.
Exit code 0: everything is within its bounds. 1: otherwise.
`;
const WRONG_USAGE = 2;
/** Smaller, and some pages would have nothing to show. */
const LEAST_EVENTS = 20_000;
const FULL = { events: 1_000_000, rounds: 20, seconds: 60 };
const BOUNDS: ProofBounds = { pageMs: 1_000, statementMs: 200, framesPerSecond: 50, growth: 5_000_000 };
/** What the list of the page holds, so that it does not grow any more. */
const FULL_LIST = 20_000;

const leaving = new AbortController();

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { events: text, rounds: text, seconds: text, help: { type: 'boolean' } } });
  const { events, rounds, seconds } = { ...FULL, ...numbersIn(values) };
  const isRight = [events, rounds, seconds].every((value) => Number.isSafeInteger(value) && value >= 1);
  if (values.help || !isRight || events < LEAST_EVENTS) {
    process.stderr.write(USAGE);
    return WRONG_USAGE;
  }
  const live = { perSecond: 500, seconds, rowsBefore: FULL_LIST };
  const hasPassed = await proveConsole(
    { events, rounds, live },
    BOUNDS,
    (line) => void process.stdout.write(`${line}\n`),
    leaving.signal,
  );
  process.stdout.write(hasPassed ? 'PASS\n' : 'FAIL\n');
  return hasPassed ? 0 : 1;
}

function numbersIn(values: Record<string, string | boolean | undefined>): Partial<typeof FULL> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (typeof value === 'string' ? [[name, Number(value)]] : [])),
  );
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leaving.abort());
// Exit even if sockets or child processes are still open.
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
