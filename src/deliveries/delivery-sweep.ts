import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { readFailing } from '../delivery-state/destination-failures.queries';
import { readDueDestinations } from '../delivery-state/queue-outlook.queries';
import { DestinationRegistry } from '../destinations/destination-registry';
import { DeliveryLines } from './delivery-lines';
import { Transmitter } from './transmitter';

const EVERY_MS = 1_000;
const MOST_PAUSE_MS = 5_000;
/** A sweep may take one hundredth of the time. */
const PAUSE_PER_DURATION = 100;

/**
 * Reads which destinations have deliveries that are due, and which fail. It finds what this process does not know from its
 * own work: what other processes have queued or left behind, what operators have changed, and retries that became due.
 */
@Injectable()
export class DeliverySweep {
  /** Circuits that are open. */
  openCircuits = 0;

  constructor(
    private readonly pool: Pool,
    private readonly registry: DestinationRegistry,
    private readonly lines: DeliveryLines,
    private readonly transmitter: Transmitter,
  ) {}

  /** Returns the wait before the next sweep in ms. */
  async runOnce(): Promise<number> {
    const readMs = performance.now();
    const { byId } = await this.registry.current();
    const [due, failing] = await Promise.all([readDueDestinations(this.pool), readFailing(this.pool)]);
    this.openCircuits = this.lines.swept(byId, { due, failing }, readMs);
    this.transmitter.keepOnly(byId);
    const pauseMs = (performance.now() - readMs) * PAUSE_PER_DURATION;
    return Math.min(Math.max(EVERY_MS, pauseMs), MOST_PAUSE_MS);
  }
}
