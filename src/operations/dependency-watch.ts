import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '../runtime/loop';
import { ReadinessChecks, type Check, type Readiness } from './readiness';

const EVERY_MS = 10_000;
/** At the first check some connections are still being opened, so the second one follows soon. */
const SECOND_LOOK_MS = 1_000;

type Checked = keyof Readiness['checks'];

/** What /ready lists only while something is wrong with it. */
const ONLY_WHILE_DOWN: readonly Checked[] = ['worker', 'upkeep', 'clock', 'proxy'];

/**
 * Checks the dependencies every ten seconds, so that streamforge_dependency_up is current even when nothing requests
 * /ready. Logs each change once.
 */
@Injectable()
export class DependencyWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dependencies');
  private readonly loop = new Loop('Dependencies', () => this.runOnce());
  private looked = false;
  private readonly known = new Map<Checked, Check['status']>();

  constructor(private readonly readiness: ReadinessChecks) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async runOnce(): Promise<number> {
    const { checks } = await this.readiness.check();
    const firstLook = !this.looked;
    this.looked = true;
    for (const [dependency, { status, message: reason }] of [...this.goneAgain(checks), ...entriesOf(checks)]) {
      if (firstLook && status === 'down') continue;
      const last = this.known.get(dependency);
      this.known.set(dependency, status);
      if (status === 'down' && last !== 'down') this.logger.warn({ msg: 'dependency.down', dependency, reason });
      if (status === 'up' && last === 'down') this.logger.log({ msg: 'dependency.up', dependency });
    }
    return firstLook ? SECOND_LOOK_MS : EVERY_MS;
  }

  private goneAgain(checks: Readiness['checks']): [Checked, Check][] {
    const gone = ONLY_WHILE_DOWN.filter((name) => this.known.has(name) && !checks[name]);
    return gone.map((name) => [name, { status: 'up' }]);
  }
}

const entriesOf = (checks: Readiness['checks']): [Checked, Check][] => Object.entries(checks) as [Checked, Check][];
