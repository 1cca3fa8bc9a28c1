import { proveConsole } from '../../console-proof/prove-console';

const PATIENCE_MS = 600_000;
/** Ten times what a quiet machine needs: the full run judges the speed. */
const BOUNDS = { pageMs: 10_000, statementMs: 2_000, framesPerSecond: 5, growth: 40_000_000 };

describe('npm run console:proof, in short', () => {
  it(
    'every page has its data over many events, and the live page keeps up with 500 events per second',
    async () => {
      const lines: string[] = [];
      const size = { events: 20_000, rounds: 1, live: { perSecond: 500, seconds: 5, rowsBefore: 0 } };
      await proveConsole(size, BOUNDS, (line) => lines.push(line));
      expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([]);
      expect(lines.filter((line) => line.startsWith('PASS')).length).toBeGreaterThan(30);
    },
    PATIENCE_MS,
  );
});
