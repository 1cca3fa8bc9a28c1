import { Module } from '@nestjs/common';
import { DATABASE_URL } from '../db/database.module';
import { EntityDatabase } from '../db/entity-database';
import { DestinationsModule } from '../destinations/destinations.module';
import { AdminAccess } from '../access/admin-access';
import { AuditController } from './audit/audit.controller';
import { AuditEntry } from './audit/audit-entry.entity';
import { DestinationUrl } from './destinations/destination-url';
import { Destinations } from './destinations/destination.service';
import { DestinationsController } from './destinations/destinations.controller';
import { DlqActions } from './dead-letters/dlq-actions';
import { DlqController } from './dead-letters/dlq.controller';
import { AdminEventsController } from './events/admin-events.controller';
import { OutboxController } from './outbox/outbox.controller';
import { ReplayController } from './replays/replay.controller';
import { Replay } from './replays/replay.entity';
import { Replays } from './replays/replays';
import { UsageController } from './usage/usage.controller';

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
