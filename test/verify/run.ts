import { verify } from './verify';

/** How much longer than its load a run may take: servers and processes start, all comes to rest, everything is read. */
const AROUND_MS = 600_000;

const seconds = Number(process.env.VERIFY_SECONDS);
const seed = Number(process.env.VERIFY_SEED);

it(
  'keeps every promise',
  async () => {
    const { violations } = await verify({ seed, seconds, say: (line) => void process.stdout.write(`${line}\n`) });
    if (violations.length > 0) throw new Error(`${violations.length} violations, listed above`);
  },
  2 * seconds * 1000 + AROUND_MS,
);
