import { Module } from '@nestjs/common';
import { DestinationsModule } from '../destinations/destinations.module';
import { AccessModule } from '../access/access.module';
import { AuditController } from './audit/audit.controller';
import { BacklogController } from './backlog/backlog.controller';
import { DestinationRows } from './destinations/destination-rows';
import { DestinationUrl } from './destinations/destination-url';
import { DestinationView } from './destinations/destination-view';
import { Destinations } from './destinations/destinations';
import { Backfills } from './destinations/backfills';
import { BackfillController } from './destinations/backfill.controller';
import { DestinationPauseController } from './destinations/destination-pause.controller';
import { DestinationHistoryController } from './destinations/health/history.controller';
import { DestinationsController } from './destinations/destinations.controller';
import { ConditionsController } from './conditions/conditions.controller';
import { DeadLetterActions } from './dead-letters/dead-letter-actions';
import { DeadLettersController } from './dead-letters/dead-letters.controller';
import { DeliveriesController } from './deliveries/deliveries.controller';
import { DeliveryActions } from './deliveries/delivery-actions';
import { BulkActions } from './events/bulk-actions';
import { AdminEventsController } from './events/admin-events.controller';
import { ActionsController } from './actions/actions.controller';
import { LiveController } from './live/live.controller';
import { LiveFeed } from './live/live-feed';
import { MetricReader } from './metrics/metric-reader';
import { MetricSeriesController } from './metrics/metrics.controller';
import { AdminActions } from './endpoint/admin-actions';
import { AccessChanges } from './endpoint/access-changes';
import { AdminTransactions } from './endpoint/admin-transactions';
import { Keys } from './keys/keys';
import { KeysController } from './keys/keys.controller';
import { Operators } from './operators/operators';
import { OperatorsController } from './operators/operators.controller';
import { OutboxController } from './outbox/outbox.controller';
import { HealthController } from './health/health.controller';
import { IngestModule } from '../ingest/ingest.module';
import { IssuerSignIn } from './sign-in/issuer-sign-in';
import { IssuerSignInController } from './sign-in/issuer-sign-in.controller';
import { SignInCode } from './sign-in/sign-in-code';
import { SignInController } from './sign-in/sign-in.controller';
import { SourcesModule } from '../sources/sources.module';
import { AdminSourcesController } from './sources/admin-sources.controller';
import { SourceProvidersController } from './sources/source-providers.controller';
import { SourceRequestsController } from './sources/source-requests.controller';
import { SourceRows } from './sources/source-rows';
import { SourceTestController } from './sources/source-test.controller';
import { SourceView } from './sources/source-view';
import { Sources } from './sources/sources';
import { ConflictDiff } from './rejections/conflict-diff';
import { Admission } from './rejections/resubmission/admission';
import { ReadAgain } from './rejections/resubmission/read-again';
import { RejectionActionsController } from './rejections/rejection-actions.controller';
import { ResubmissionPreview } from './rejections/resubmission/resubmission-preview';
import { Resubmissions } from './rejections/resubmission/resubmissions';
import { ResubmitPart } from './rejections/resubmission/resubmit-part';
import { RejectionsController } from './rejections/rejections.controller';
import { EventRawController } from './events/event-raw.controller';
import { Expectations } from './expectations/expectations';
import { ExpectationsController } from './expectations/expectations.controller';
import { Erasures } from './erasures/erasures';
import { ErasuresController } from './erasures/erasures.controller';
import { ReplaysController } from './replays/replays.controller';
import { Replays } from './replays/replays';
import { Revisions } from './revisions/revisions';
import { RevisionsController } from './revisions/revisions.controller';
import { KnownTenants } from './tenants/known-tenants';
import { Tenants } from './tenants/tenants';
import { TenantsController } from './tenants/tenants.controller';
import { Timeline } from './timeline/timeline';
import { TimelineController } from './timeline/timeline.controller';
import { UsageController } from './usage/usage.controller';

/** The endpoints for operators, below /v1/admin. */
@Module({
  imports: [AccessModule, DestinationsModule, IngestModule, SourcesModule],
  controllers: [
    AdminEventsController,
    DeadLettersController,
    DeliveriesController,
    ReplaysController,
    OutboxController,
    BacklogController,
    HealthController,
    ConditionsController,
    DestinationsController,
    DestinationPauseController,
    DestinationHistoryController,
    BackfillController,
    UsageController,
    AuditController,
    ActionsController,
    TenantsController,
    KeysController,
    OperatorsController,
    SignInController,
    IssuerSignInController,
    AdminSourcesController,
    SourceRequestsController,
    SourceProvidersController,
    SourceTestController,
    ExpectationsController,
    RejectionsController,
    RejectionActionsController,
    EventRawController,
    ErasuresController,
    TimelineController,
    RevisionsController,
    LiveController,
    MetricSeriesController,
  ],
  providers: [
    AdminTransactions,
    AdminActions,
    AccessChanges,
    BulkActions,
    DeadLetterActions,
    DeliveryActions,
    Replays,
    Expectations,
    Erasures,
    Revisions,
    Destinations,
    Backfills,
    DestinationUrl,
    DestinationRows,
    DestinationView,
    KnownTenants,
    Tenants,
    Keys,
    Operators,
    SignInCode,
    IssuerSignIn,
    Sources,
    SourceRows,
    SourceView,
    ConflictDiff,
    Admission,
    ReadAgain,
    Timeline,
    MetricReader,
    ResubmitPart,
    ResubmissionPreview,
    Resubmissions,
    LiveFeed,
  ],
})
export class AdminModule {}
