import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module';
import { RejectionKeeper } from '../rejections/rejection-keeper';
import { RejectionStore } from '../rejections/rejection-store';
import { Decoders } from './decoding/decoders';
import { BatchWriter } from './store/batch-writer';
import { CurrentRules } from './store/current-rules';
import { EventReader } from './event-reader';
import { EventsController } from './events.controller';
import { Spill } from './results/spill';
import { Intake } from './store/intake';
import { KnownEvents } from './store/known-events';
import { RefusedRequest } from './rejected/refused-request';
import { RejectedEvent } from './rejected/rejected-event';
import { SingleEventEndpoint } from './single-event-endpoint';
import { StreamEndpoint } from './stream/stream-endpoint';
import { StreamIngest } from './stream/stream-ingest';
import { StreamPacer } from './stream/stream-pacer';
import { StreamController } from './stream/stream.controller';
import { QuotaRefusals } from '../access/limits/quota-refusals';
import { TenantLimiter } from '../access/limits/tenant-limiter';

/** Accepts events over HTTP and stores each batch in one PostgreSQL transaction. Publishes nothing. */
@Module({
  imports: [AccessModule],
  controllers: [EventsController, StreamController],
  providers: [
    SingleEventEndpoint,
    StreamEndpoint,
    StreamIngest,
    TenantLimiter,
    QuotaRefusals,
    StreamPacer,
    Spill,
    Decoders,
    Intake,
    KnownEvents,
    BatchWriter,
    CurrentRules,
    EventReader,
    RejectedEvent,
    RefusedRequest,
    RejectionStore,
    RejectionKeeper,
  ],
  exports: [Decoders, Intake, CurrentRules, TenantLimiter, RejectionStore],
})
export class IngestModule {}
