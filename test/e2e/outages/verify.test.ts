import { verify } from '../../verify/verify';

/** The short form of `npm run verify`, which runs as long as one likes and with any seed: docs/verify.md. */
const SEED = 20_261_124;
const SECONDS = 35;

describe('the fault suite', () => {
  it('I1–I15: whatever fails, nothing acknowledged is lost, and nothing happens twice', async () => {
    const say = (line: string) => void process.stdout.write(`verify: ${line}\n`);
    const { violations, accepted } = await verify({ seed: SEED, seconds: SECONDS, say });
    expect(violations).toEqual([]);
    expect(accepted).toBeGreaterThan(500);
  }, 360_000);
});
