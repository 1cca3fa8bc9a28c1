import { Module } from '@nestjs/common';
import { BatchWriter } from './batch-writer';
import { EventReader } from './event-reader';
import { EventsController } from './events.controller';
import { Intake } from './intake';
import { StreamIngest } from './stream-ingest';
import { StreamController } from './stream.controller';

/** HTTP in, one PostgreSQL transaction; nothing is published from here. */
@Module({
  controllers: [EventsController, StreamController],
  providers: [Intake, BatchWriter, StreamIngest, EventReader],
})
export class IngestModule {}
