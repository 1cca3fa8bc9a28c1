import { Report } from '../deliveries-proof/report';
import { failOverAsynchronously } from './asynchronous';
import { DrillInstallation } from './installation';
import { recoverToPoint } from './point-in-time';
import { Producer } from './producer';
import { restoreInPlace } from './restore';
import { failOverSynchronously } from './synchronous';
import type { Tally } from './table';

const PARTS = {
  'asynchronous standby': failOverAsynchronously,
  'synchronous standby': failOverSynchronously,
  'dump restored in place': restoreInPlace,
  'point-in-time recovery': recoverToPoint,
} as const;
export type Part = keyof typeof PARTS;
export const PART_NAMES = Object.keys(PARTS) as Part[];

/** Runs its parts one after the other, on one installation. `closeAll` stops what it has started. */
export class Drill {
  private constructor(
    private readonly installation: DrillInstallation,
    private readonly producer: Producer,
  ) {}

  static async start(): Promise<Drill> {
    const installation = await DrillInstallation.start();
    return new Drill(installation, new Producer(installation.url));
  }

  /** @param each the number of events in each state */
  async run(part: Part, each: number, say: (line: string) => void): Promise<{ tally: Tally; hasPassed: boolean }> {
    const report = new Report(part, say);
    const tally = await PARTS[part](this.installation, this.producer, each, report);
    return { tally, hasPassed: report.hasPassed };
  }
}
