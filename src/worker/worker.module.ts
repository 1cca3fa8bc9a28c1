import { Module } from '@nestjs/common';
import { Pool } from 'pg';
import { Broker } from '../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Deliveries } from '../deliveries/deliveries';
import { DeliveriesModule } from '../deliveries/deliveries.module';
import { Installation } from '../integrity/installation';
import { Metrics } from '../observability/metrics';
import { WorkProgress } from '../observability/work-progress';
import { WakeUp } from '../redis/wake-up';
import { WorkerLoop } from './consume/worker-loop';
import { createWorker } from './create-worker';
import type { Handler } from './handler';
import { UsageMeter } from './handlers/usage-meter';

/** All handlers. To add one, write its class in handlers/ and list it here. Its constructor may inject. */
const HANDLER_CLASSES = [UsageMeter];

/** Runs the handlers of received events and records attempts, effects, deliveries, retries and dead letters. */
@Module({
  imports: [DeliveriesModule],
  providers: [
    ...HANDLER_CLASSES,
    {
      provide: WorkerLoop,
      inject: [
        SETTINGS_TOKEN,
        Pool,
        Broker,
        Metrics,
        Deliveries,
        WorkProgress,
        Installation,
        WakeUp,
        ...HANDLER_CLASSES,
      ],
      useFactory: (
        settings: Settings,
        pool: Pool,
        broker: Broker,
        metrics: Metrics,
        deliveries: Deliveries,
        progress: WorkProgress,
        installation: Installation,
        wakeUp: WakeUp,
        ...handlers: Handler[]
      ) => createWorker({ settings, pool, broker, metrics, handlers, deliveries, progress, installation, wakeUp }),
    },
  ],
})
export class WorkerModule {}
