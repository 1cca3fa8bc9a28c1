import { Injectable, Logger } from '@nestjs/common';
import { loggedCause } from '../db/outages';
import { Loop } from '../runtime/loop';
import { DeliveryClaims } from './delivery-claims';
import { DeliveryLines } from './delivery-lines';
import { DeliveryReport } from './delivery-report';
import { DeliverySweep } from './delivery-sweep';
import { DisableDestinations } from './disable-destinations';

const BEAT_EVERY_MS = 1_000;
const FLUSH_EVERY_MS = 5_000;

/** The periodic work of a process that delivers. */
@Injectable()
export class DeliveryLoops {
  private readonly logger = new Logger('Deliveries');
  private readonly loops = [
    new Loop('Delivery workers', () => this.beat()),
    new Loop('Delivery sweep', () => this.sweepOnce()),
    new Loop('Delivery minutes', () => this.flush()),
    new Loop('Failing destinations', () => this.disable.runOnce()),
  ];

  constructor(
    private readonly lines: DeliveryLines,
    private readonly claims: DeliveryClaims,
    private readonly sweep: DeliverySweep,
    private readonly report: DeliveryReport,
    private readonly disable: DisableDestinations,
  ) {}

  start(): void {
    for (const loop of this.loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /**
   * Called after the last attempt. Without PostgreSQL, the last counts are lost, and the other workers take over the share
   * of this one only after DEAD_AFTER_SECONDS.
   */
  async finish(): Promise<void> {
    try {
      await this.report.flush();
      await this.lines.leave();
    } catch (error) {
      this.logger.warn({
        msg: 'the last counts and the end of this worker could not be recorded',
        ...loggedCause(error),
      });
    }
  }

  private async beat(): Promise<number> {
    await this.lines.beat();
    this.claims.wakeAll();
    return BEAT_EVERY_MS;
  }

  private async sweepOnce(): Promise<number> {
    const pauseMs = await this.sweep.runOnce();
    this.report.openCircuits(this.sweep.openCircuits);
    this.claims.wakeAll();
    return pauseMs;
  }

  private async flush(): Promise<number> {
    await this.report.flush();
    return FLUSH_EVERY_MS;
  }
}
