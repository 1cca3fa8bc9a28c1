import { Injectable } from '@nestjs/common';
import { PoisonDetector } from '../crashes/poison-detector';
import type { ExternalWork } from '../consume/message-router';
import { ExternalHandlers } from './external-handlers';
import { postponeTenant } from '../settle/retry-policy';
import type { Findings } from '../settle/settlement';

/** Events that wait to run alone hold their prefetch slots, so there may not be many. */
const MOST_WAITING_ALONE = 16;

/** Runs the external handlers of deliveries: side by side, or one after the other for those on trial. */
@Injectable()
export class ExternalWorks {
  private alone: Promise<unknown> = Promise.resolve();
  private waitingAlone = 0;

  constructor(
    private readonly externals: ExternalHandlers,
    private readonly trials: PoisonDetector,
  ) {}

  /** Undefined when the event has to go back to the queue because the worker shuts down. */
  async run({ event, handlers, standing, delivery }: ExternalWork): Promise<Findings | undefined> {
    const onTrial = standing.starts !== null || delivery.redelivered;
    // Marked by an earlier redelivery: the worker died with it in hand more than once.
    if (!delivery.redelivered || standing.starts === null) {
      const findings = await this.externals.run(event, handlers, standing);
      return findings && { ...findings, onTrial };
    }
    if (this.waitingAlone >= MOST_WAITING_ALONE) {
      const unfinished = new Map([['', postponeTenant(event.dispatchNo, Math.random())]]);
      return { done: [], unfinished, durationMs: 0, onTrial };
    }
    this.waitingAlone += 1;
    const turn = this.alone.then(() => this.runAlone({ event, handlers, standing, delivery }));
    this.alone = turn.catch(() => undefined);
    return turn.finally(() => (this.waitingAlone -= 1));
  }

  stop(): Promise<void> {
    return this.externals.stop();
  }

  private async runAlone({ event, handlers, standing }: ExternalWork): Promise<Findings | undefined> {
    const { quarantined, findings: trial } = await this.trials.begin(event);
    if (quarantined) return trial;
    const findings = await this.externals.run(event, handlers, standing);
    if (!findings) await this.trials.withdraw(event);
    return findings && { ...findings, onTrial: true };
  }
}
