import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Broker, QUEUES } from '../../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { CrashTrials } from '../crashes/poison-detector';
import { DeliveryExecutor } from '../settle/batch-settler';
import { DeliveryRouter } from './message-router';
import { ExternalWorks } from '../run/external-works';
import { QueueConsumption, type Stations } from './queue-consumer';

/** Retries have their own queue and a small prefetch, so that a storm of them cannot crowd out fresh events. */
const RETRY_PREFETCH = 50;

/** Where the deliveries of both queues pass through. */
@Injectable()
export class WorkerStations implements Stations {
  constructor(
    @Inject(DeliveryRouter) readonly router: DeliveryRouter,
    @Inject(DeliveryExecutor) readonly executor: DeliveryExecutor,
    @Inject(ExternalWorks) readonly externals: ExternalWorks,
    @Inject(CrashTrials) readonly trials: CrashTrials,
  ) {}
}

/** Consumes both queues, each on its own. */
@Injectable()
export class DeliveryLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private queues: QueueConsumption[] = [];

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(Broker) private readonly broker: Broker,
    @Inject(WorkerStations) private readonly stations: WorkerStations,
  ) {}

  onApplicationBootstrap(): void {
    const { RABBITMQ_PREFETCH: prefetch, WORKER_BATCH_SIZE: batchSize } = this.settings;
    const retries = { prefetch: RETRY_PREFETCH, batchSize: RETRY_PREFETCH };
    this.queues = [
      new QueueConsumption(this.broker, QUEUES.main, { prefetch, batchSize }, this.stations),
      new QueueConsumption(this.broker, QUEUES.retry, retries, this.stations),
    ];
  }

  /** I15: no more deliveries, then the end of what is under way, then its settlement. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.stopTaking()));
    await this.stations.externals.stop();
    await Promise.all(this.queues.map((queue) => queue.close()));
  }
}
