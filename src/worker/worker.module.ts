import { Module } from '@nestjs/common';
import { DestinationsModule } from '../destinations/destinations.module';
import { PoisonDetector } from './crashes/poison-detector';
import { BatchSettler } from './settle/batch-settler';
import { WorkerLoop, WorkerStations } from './consume/worker-loop';
import { MessageRouter } from './consume/message-router';
import { ExternalHandlers } from './run/external-handlers';
import { ExternalWorks } from './run/external-works';
import { HANDLERS, withUniqueNames, type Handler } from './handler';
import { DestinationDelivery } from './handlers/destination-delivery';
import { UsageMeter } from './handlers/usage-meter';

/** Every handler there is. To add one, write it in handlers/ and add its class here; its constructor may inject. */
const HANDLER_CLASSES = [UsageMeter, DestinationDelivery];

/** Broker → handlers → attempts, effects, retries, dead letters. */
@Module({
  imports: [DestinationsModule],
  providers: [
    WorkerLoop,
    WorkerStations,
    MessageRouter,
    BatchSettler,
    ExternalWorks,
    ExternalHandlers,
    PoisonDetector,
    ...HANDLER_CLASSES,
    { provide: HANDLERS, inject: HANDLER_CLASSES, useFactory: (...handlers: Handler[]) => withUniqueNames(handlers) },
  ],
})
export class WorkerModule {}
