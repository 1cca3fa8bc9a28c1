import { Module } from '@nestjs/common';
import { AdminAccess } from '../http/admin-access';
import { BatchWriter } from './batch-writer';
import { EventReader } from './event-reader';
import { EventsController } from './events.controller';
import { Intake } from './intake';
import { SingleAnswer } from './single-answer';
import { StreamAnswer } from './stream-answer';
import { StreamIngest } from './stream-ingest';
import { StreamController } from './stream.controller';
import { TenantLimiter } from './tenant-limiter';

/** HTTP in, one PostgreSQL transaction; nothing is published from here. */
@Module({
  controllers: [EventsController, StreamController],
  providers: [SingleAnswer, StreamAnswer, StreamIngest, TenantLimiter, Intake, BatchWriter, EventReader, AdminAccess],
})
export class IngestModule {}
