import { Module } from '@nestjs/common';
import { DATABASE_URL } from '../db/database.module';
import { EntityDatabase } from '../db/entity-database';
import { DestinationsModule } from '../destinations/destinations.module';
import { AdminAccess } from '../http/admin-access';
import { AuditController } from './audit.controller';
import { AuditEntry } from './audit-entry.entity';
import { DestinationUrl } from './destination-url';
import { Destinations } from './destinations';
import { DestinationsController } from './destinations.controller';
import { DlqActions } from './dlq-actions';
import { DlqController } from './dlq.controller';
import { AdminEventsController } from './events.controller';
import { OutboxController } from './outbox.controller';
import { ReplayController } from './replay.controller';
import { Replay } from './replay.entity';
import { Replays } from './replays';
import { UsageController } from './usage.controller';

/** What operators see and do. */
@Module({
  imports: [DestinationsModule],
  controllers: [
    AdminEventsController,
    DlqController,
    ReplayController,
    OutboxController,
    DestinationsController,
    UsageController,
    AuditController,
  ],
  providers: [
    AdminAccess,
    DlqActions,
    Replays,
    Destinations,
    DestinationUrl,
    {
      provide: EntityDatabase,
      inject: [DATABASE_URL],
      useFactory: (url: string) => new EntityDatabase(url, [AuditEntry, Replay]),
    },
  ],
})
export class AdminModule {}
