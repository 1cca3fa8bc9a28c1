import { closeAll } from '../../support/broker/closing';
import { Drill, type Part } from '../../failover-drill/drill';

const EACH = 6;
const PATIENCE_MS = 600_000;

/** Redis, RabbitMQ and the processes keep what they remember; only the database goes back. */
describe('a database that goes back in time (npm run failover:drill, in short)', () => {
  let drill: Drill;
  beforeAll(async () => {
    drill = await Drill.start();
  });
  afterAll(closeAll);

  /** Returns the figures that do not add up, with the others. */
  async function failuresOf(part: Part): Promise<string[]> {
    const lines: string[] = [];
    const { hasPassed } = await drill.run(part, EACH, (line) => lines.push(line));
    return hasPassed ? [] : lines;
  }

  it(
    'I2, I7: stores the events again that an asynchronous standby lacks, and attempts, meters and delivers no ghosts',
    async () => {
      expect(await failuresOf('asynchronous standby')).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'I1: acknowledges nothing that a synchronous standby has not confirmed, and loses nothing',
    async () => {
      expect(await failuresOf('synchronous standby')).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'I2: stores the events again that a dump restored in place lacks, while connections stay open',
    async () => {
      expect(await failuresOf('dump restored in place')).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'I2: stores the events again that were stored after the point in time to which the WAL archive was recovered',
    async () => {
      expect(await failuresOf('point-in-time recovery')).toEqual([]);
    },
    PATIENCE_MS,
  );
});
