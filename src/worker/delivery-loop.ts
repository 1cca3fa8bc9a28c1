import { setTimeout as sleep } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Broker, QUEUES, type Consumer, type Delivery, type QueueName } from '../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { toDeliveredEvent } from './delivered-event';
import { DeliveryExecutor } from './delivery-executor';

/** Retries have their own queue and a small prefetch, so that a storm of them cannot crowd out fresh events. */
const RETRY_PREFETCH = 50;
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/** Consumes both queues, each on its own. */
@Injectable()
export class DeliveryLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private queues: QueueConsumption[] = [];

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(Broker) private readonly broker: Broker,
    @Inject(DeliveryExecutor) private readonly executor: DeliveryExecutor,
  ) {}

  onApplicationBootstrap(): void {
    const { RABBITMQ_PREFETCH, WORKER_BATCH_SIZE } = this.settings;
    this.queues = [
      new QueueConsumption(this.broker, QUEUES.main, RABBITMQ_PREFETCH, WORKER_BATCH_SIZE, this.executor),
      new QueueConsumption(this.broker, QUEUES.retry, RETRY_PREFETCH, RETRY_PREFETCH, this.executor),
    ];
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.stop()));
  }
}

/**
 * One batch at a time: whatever has arrived when the last batch was settled is the next one. The buffer in front is
 * bounded by the prefetch.
 */
class QueueConsumption {
  private readonly logger = new Logger('Worker');
  private readonly consumer: Consumer;
  private buffered: Delivery[] = [];
  private settling: Promise<void> | undefined;
  private stopping = false;

  constructor(
    broker: Broker,
    queue: QueueName,
    prefetch: number,
    private readonly batchSize: number,
    private readonly executor: DeliveryExecutor,
  ) {
    this.consumer = broker.consume(queue, prefetch, (delivery) => {
      this.buffered.push(delivery);
      this.settling ??= this.settleUntilEmpty();
    });
  }

  /** I15: ends with the batch in hand; what is only buffered goes back to the queue. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.consumer.cancel();
    await this.settling;
    this.consumer.requeue(this.buffered.splice(0));
    await this.consumer.close();
  }

  private async settleUntilEmpty(): Promise<void> {
    await Promise.resolve(); // lets the deliveries of this tick arrive
    while (this.buffered.length > 0 && !this.stopping) await this.settleBatch(this.buffered.splice(0, this.batchSize));
    this.settling = undefined;
  }

  private async settleBatch(deliveries: Delivery[]): Promise<void> {
    const events = deliveries.flatMap((delivery) => {
      const event = toDeliveredEvent(delivery.message);
      if (!event) this.logger.error({ msg: 'a message that is not ours was dropped', messageId: delivery.message.id });
      return event ?? [];
    });
    for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        await this.executor.settle(events);
        this.consumer.ack(deliveries);
        return;
      } catch (error) {
        this.logger.warn(
          `PostgreSQL cannot be reached, deliveries wait: ${error instanceof Error ? error.message : ''}`,
        );
      }
      // The deliveries stay in hand: giving them back would only bring them again at once.
      for (let waitedMs = 0; waitedMs < pauseMs && !this.stopping; waitedMs += MIN_PAUSE_MS) await sleep(MIN_PAUSE_MS);
      if (this.stopping) {
        this.consumer.requeue(deliveries);
        return;
      }
    }
  }
}
