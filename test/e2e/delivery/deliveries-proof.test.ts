import { Installation } from '../../deliveries-proof/installation';
import { Report } from '../../deliveries-proof/report';
import { kills } from '../../deliveries-proof/scenarios/kills';
import { pause } from '../../deliveries-proof/scenarios/pause';
import { rate } from '../../deliveries-proof/scenarios/rate';

/** The lease of a first try ends after 45 s, and processes start slowly on a busy machine. */
const PATIENCE_MS = 600_000;

describe('npm run deliveries:proof, in short', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await Installation.start();
  });
  afterAll(() => installation.stop());

  /** Returns the figures that are not as they have to be. */
  async function failuresOf(run: (report: Report) => Promise<void>): Promise<string[]> {
    const lines: string[] = [];
    await run(new Report('short run', (line) => lines.push(line)));
    expect(lines.some((line) => line.startsWith('PASS'))).toBe(true);
    return lines.filter((line) => line.startsWith('FAIL'));
  }

  it(
    'I7: every event has one delivery to each destination, which is DELIVERED, whatever kills the workers',
    async () => {
      expect(await failuresOf((report) => kills(installation, { events: 400, times: 3 }, report))).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'a paused destination gets everything afterwards, oldest first, and an added one is filled alone',
    async () => {
      expect(await failuresOf((report) => pause(installation, { events: 120, judgesOrder: false }, report))).toEqual(
        [],
      );
    },
    PATIENCE_MS,
  );

  it(
    'a receiver that answers 429 gets everything',
    async () => {
      const size = { events: 20, judgesShares: false };
      expect(await failuresOf((report) => rate(installation, size, report))).toEqual([]);
    },
    PATIENCE_MS,
  );
});
