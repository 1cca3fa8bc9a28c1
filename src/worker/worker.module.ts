import { Module } from '@nestjs/common';
import { Pool } from 'pg';
import { Broker } from '../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { DestinationsModule } from '../destinations/destinations.module';
import { Metrics } from '../observability/metrics';
import { WorkerLoop } from './consume/worker-loop';
import { createWorker } from './create-worker';
import type { Handler } from './handler';
import { DestinationDelivery } from './handlers/destination-delivery';
import { UsageMeter } from './handlers/usage-meter';
import type { DeliveryTaker } from './settle/pass-deliveries';

/** All handlers. To add one, write its class in handlers/ and list it here. Its constructor may inject. */
const HANDLER_CLASSES = [UsageMeter, DestinationDelivery];

/** DestinationDelivery still delivers, so there is nothing to record. */
const NO_DELIVERIES: DeliveryTaker = {
  plan: () => Promise.resolve([]),
  newLease: () => ({ token: '', seconds: 0 }),
  recorded: () => undefined,
  abandoned: () => undefined,
};

/** Runs the handlers of received events and records attempts, effects, retries and dead letters. */
@Module({
  imports: [DestinationsModule],
  providers: [
    ...HANDLER_CLASSES,
    {
      provide: WorkerLoop,
      inject: [SETTINGS_TOKEN, Pool, Broker, Metrics, ...HANDLER_CLASSES],
      useFactory: (settings: Settings, pool: Pool, broker: Broker, metrics: Metrics, ...handlers: Handler[]) =>
        createWorker({ settings, pool, broker, metrics, handlers, deliveries: NO_DELIVERIES }),
    },
  ],
})
export class WorkerModule {}
