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

/** Every handler there is. To add one, write it in handlers/ and add its class here; its constructor may inject. */
const HANDLER_CLASSES = [UsageMeter, DestinationDelivery];

/** Broker → handlers → attempts, effects, retries, dead letters. */
@Module({
  imports: [DestinationsModule],
  providers: [
    ...HANDLER_CLASSES,
    {
      provide: WorkerLoop,
      inject: [SETTINGS_TOKEN, Pool, Broker, Metrics, ...HANDLER_CLASSES],
      useFactory: (settings: Settings, pool: Pool, broker: Broker, metrics: Metrics, ...handlers: Handler[]) =>
        createWorker({ settings, pool, broker, metrics, handlers }),
    },
  ],
})
export class WorkerModule {}
