import { Module } from '@nestjs/common';
import { DestinationsModule } from '../destinations/destinations.module';
import { CrashTrials } from './crash-trials';
import { DeliveryExecutor } from './delivery-executor';
import { DeliveryLoop, WorkerStations } from './delivery-loop';
import { DeliveryRouter } from './delivery-router';
import { ExternalHandlers } from './external-handlers';
import { ExternalWorks } from './external-works';
import { HANDLERS, withUniqueNames, type Handler } from './handler';
import { DestinationDelivery } from './handlers/destination-delivery';
import { UsageMeter } from './handlers/usage-meter';

/** Every handler there is. To add one, write it in handlers/ and add its class here; its constructor may inject. */
const HANDLER_CLASSES = [UsageMeter, DestinationDelivery];

/** Broker → handlers → attempts, effects, retries, dead letters. */
@Module({
  imports: [DestinationsModule],
  providers: [
    DeliveryLoop,
    WorkerStations,
    DeliveryRouter,
    DeliveryExecutor,
    ExternalWorks,
    ExternalHandlers,
    CrashTrials,
    ...HANDLER_CLASSES,
    { provide: HANDLERS, inject: HANDLER_CLASSES, useFactory: (...handlers: Handler[]) => withUniqueNames(handlers) },
  ],
})
export class WorkerModule {}
