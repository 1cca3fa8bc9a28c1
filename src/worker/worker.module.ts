import { Module } from '@nestjs/common';
import { DeliveryExecutor } from './delivery-executor';
import { DeliveryLoop } from './delivery-loop';
import { HANDLERS, withUniqueNames } from './handler';
import { UsageMeter } from './handlers/usage-meter';

/** Broker → handlers → attempts, effects, retries, dead letters. New handlers are added to this list. */
@Module({
  providers: [
    DeliveryLoop,
    DeliveryExecutor,
    UsageMeter,
    { provide: HANDLERS, inject: [UsageMeter], useFactory: (usageMeter: UsageMeter) => withUniqueNames([usageMeter]) },
  ],
})
export class WorkerModule {}
