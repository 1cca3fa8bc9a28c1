import { Installation } from './installation';
import { Report } from './report';
import { kills } from './scenarios/kills';
import { pause } from './scenarios/pause';
import { rate } from './scenarios/rate';

export interface Scenario {
  /** Events by default. */
  events: number;
  run(installation: Installation, size: { events: number }, report: Report): Promise<void>;
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  rate: { events: 1_000, run: rate },
  kills: { events: 20_000, run: kills },
  pause: { events: 10_000, run: pause },
};

/** Runs one scenario on an installation of its own. Returns whether every figure is as it has to be. */
export async function runScenario(
  name: string,
  run: (installation: Installation, report: Report) => Promise<void>,
  say: (line: string) => void,
): Promise<boolean> {
  const report = new Report(name, say);
  const installation = await Installation.start();
  try {
    await run(installation, report);
    return report.hasPassed;
  } finally {
    await installation.stop();
  }
}
