import { Module } from '@nestjs/common';
import { DestinationsModule } from '../destinations/destinations.module';
import { AccessModule } from '../access/access.module';
import { AuditController } from './audit/audit.controller';
import { DestinationUrl } from './destinations/destination-url';
import { Destinations } from './destinations/destinations';
import { DestinationsController } from './destinations/destinations.controller';
import { DeadLetterActions } from './dead-letters/dead-letter-actions';
import { DeadLettersController } from './dead-letters/dead-letters.controller';
import { AdminEventsController } from './events/admin-events.controller';
import { ActionsController } from './actions/actions.controller';
import { AdminActions } from './endpoint/admin-actions';
import { AdminTransactions } from './endpoint/admin-transactions';
import { OutboxController } from './outbox/outbox.controller';
import { ReplaysController } from './replays/replays.controller';
import { Replays } from './replays/replays';
import { UsageController } from './usage/usage.controller';

/** The endpoints for operators, below /v1/admin. */
@Module({
  imports: [AccessModule, DestinationsModule],
  controllers: [
    AdminEventsController,
    DeadLettersController,
    ReplaysController,
    OutboxController,
    DestinationsController,
    UsageController,
    AuditController,
    ActionsController,
  ],
  providers: [AdminTransactions, AdminActions, DeadLetterActions, Replays, Destinations, DestinationUrl],
})
export class AdminModule {}
