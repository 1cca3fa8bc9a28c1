import { Module } from '@nestjs/common';
import { DestinationsModule } from '../destinations/destinations.module';
import { AttemptSettler } from './attempt-settler';
import { Deliveries } from './deliveries';
import { DeliveryClaims } from './delivery-claims';
import { DeliveryLines } from './delivery-lines';
import { DeliveryLoops } from './delivery-loops';
import { DeliveryReport } from './delivery-report';
import { DeliverySweep } from './delivery-sweep';
import { DisableDestinations } from './disable-destinations';
import { Dispatcher } from './dispatcher';
import { Transmitter } from './transmitter';
import { WorkerShares } from './worker-shares';

/** Sends the deliveries of events to their destinations. */
@Module({
  imports: [DestinationsModule],
  providers: [
    WorkerShares,
    DeliveryLines,
    DeliveryReport,
    AttemptSettler,
    Transmitter,
    DisableDestinations,
    Dispatcher,
    DeliveryClaims,
    DeliverySweep,
    DeliveryLoops,
    Deliveries,
  ],
  exports: [Deliveries],
})
export class DeliveriesModule {}
