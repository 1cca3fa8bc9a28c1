import { DataSource } from 'typeorm';
import { withinDeadline } from '../../runtime/deadline';
import { connectionConfig } from '../session/connection-config';
import { MIGRATION_NEEDS } from '../session/session-needs';
import { InitialSchema1764000000000 } from '../../../migrations/1764000000000-initial-schema';
import { CrashTrials1764000000500 } from '../../../migrations/1764000000500-crash-trials';
import { Admin1764100000000 } from '../../../migrations/1764100000000-admin';
import { Destinations1764200000000 } from '../../../migrations/1764200000000-destinations';
import { Correlation1764300000000 } from '../../../migrations/1764300000000-correlation';
import { Reporting1764400000000 } from '../../../migrations/1764400000000-reporting';
import { AdminToken1764500100000 } from '../../../migrations/1764500100000-admin-token';
import { DisabledAt1764500200000 } from '../../../migrations/1764500200000-disabled-at';
import { EventIdentity1764510000000 } from '../../../migrations/1764510000000-event-identity';
import { Extensions1764520000000 } from '../../../migrations/1764520000000-extensions';
import { ActionKeys1764530000000 } from '../../../migrations/1764530000000-action-keys';
import { Identity1764540000000 } from '../../../migrations/1764540000000-identity';
import { AuditTenants1764543000000 } from '../../../migrations/1764543000000-audit-tenants';
import { RotatedKeys1764546000000 } from '../../../migrations/1764546000000-rotated-keys';
import { Sources1764550000000 } from '../../../migrations/1764550000000-sources';
import { Deliveries1764555000000 } from '../../../migrations/1764555000000-deliveries';
import { Backfills1764557000000 } from '../../../migrations/1764557000000-backfills';
import { DestinationOptions1764560000000 } from '../../../migrations/1764560000000-destination-options';
import { Rejections1764570000000 } from '../../../migrations/1764570000000-rejections';
import { Revisions1764571000000 } from '../../../migrations/1764571000000-revisions';
import { Resubmitted1764571500000 } from '../../../migrations/1764571500000-resubmitted';
import { Erasures1764572000000 } from '../../../migrations/1764572000000-erasures';
import { Timeline1764573000000 } from '../../../migrations/1764573000000-timeline';
import { ErasuresLookAgain1764574000000 } from '../../../migrations/1764574000000-erasures-look-again';
import { Resubmissions1764575000000 } from '../../../migrations/1764575000000-resubmissions';
import { ErasureStatistics1764576000000 } from '../../../migrations/1764576000000-erasure-statistics';
import { OpenWorkOfRevisions1764576500000 } from '../../../migrations/1764576500000-open-work-of-revisions';
import { InstallationKey1764577000000 } from '../../../migrations/1764577000000-installation-key';
import { AuditChain1764578000000 } from '../../../migrations/1764578000000-audit-chain';
import { GivenInstallationKey1764579000000 } from '../../../migrations/1764579000000-given-installation-key';
import { Upkeep1764580000000 } from '../../../migrations/1764580000000-upkeep';
import { DatabaseHistory1764583000000 } from '../../../migrations/1764583000000-database-history';
import { InstallationHome1764584000000 } from '../../../migrations/1764584000000-installation-home';
import { MetricRollup1764588000000 } from '../../../migrations/1764588000000-metric-rollup';
import { Causes1764592000000 } from '../../../migrations/1764592000000-causes';
import { CausesKnown1764592100000 } from '../../../migrations/1764592100000-causes-known';
import { CausesIndexed1764592200000 } from '../../../migrations/1764592200000-causes-indexed';
import { DeliveriesAgain1764592300000 } from '../../../migrations/1764592300000-deliveries-again';
import { LateSlices1764592400000 } from '../../../migrations/1764592400000-late-slices';
import { OperatorConditions1764592500000 } from '../../../migrations/1764592500000-operator-conditions';
import { Usage1764592600000 } from '../../../migrations/1764592600000-usage';
import { Silence1764592700000 } from '../../../migrations/1764592700000-silence';
import { QuietHours1764592750000 } from '../../../migrations/1764592750000-quiet-hours';
import { AttemptsSummarised1764592800000 } from '../../../migrations/1764592800000-attempts-summarised';
import { MetricSums1764592810000 } from '../../../migrations/1764592810000-metric-sums';
import { ConditionFigures1764592900000 } from '../../../migrations/1764592900000-condition-figures';
import { Flapping1764592910000 } from '../../../migrations/1764592910000-flapping';
import { FairClaims1764593000000 } from '../../../migrations/1764593000000-fair-claims';
import { OrderedDeliveries1764593100000 } from '../../../migrations/1764593100000-ordered-deliveries';
import { TenantRests1764593150000 } from '../../../migrations/1764593150000-tenant-rests';
import { OrderedHandlers1764593200000 } from '../../../migrations/1764593200000-ordered-handlers';

/**
 * TypeORM runs the migrations; all other access is SQL over pg.
 * @throws SessionError
 */
export function createDataSource(databaseUrl: string): DataSource {
  const config = connectionConfig(databaseUrl, 'streamforge migrations', MIGRATION_NEEDS);
  return new DataSource({
    type: 'postgres',
    url: config.connectionString,
    extra: { ...config, query_timeout: undefined },
    migrations: [
      InitialSchema1764000000000,
      CrashTrials1764000000500,
      Admin1764100000000,
      Destinations1764200000000,
      Correlation1764300000000,
      Reporting1764400000000,
      AdminToken1764500100000,
      DisabledAt1764500200000,
      EventIdentity1764510000000,
      Extensions1764520000000,
      ActionKeys1764530000000,
      Identity1764540000000,
      AuditTenants1764543000000,
      RotatedKeys1764546000000,
      Sources1764550000000,
      Deliveries1764555000000,
      Backfills1764557000000,
      DestinationOptions1764560000000,
      Rejections1764570000000,
      Revisions1764571000000,
      Resubmitted1764571500000,
      Erasures1764572000000,
      Timeline1764573000000,
      ErasuresLookAgain1764574000000,
      Resubmissions1764575000000,
      ErasureStatistics1764576000000,
      OpenWorkOfRevisions1764576500000,
      InstallationKey1764577000000,
      AuditChain1764578000000,
      GivenInstallationKey1764579000000,
      Upkeep1764580000000,
      DatabaseHistory1764583000000,
      InstallationHome1764584000000,
      MetricRollup1764588000000,
      Causes1764592000000,
      CausesKnown1764592100000,
      CausesIndexed1764592200000,
      DeliveriesAgain1764592300000,
      LateSlices1764592400000,
      OperatorConditions1764592500000,
      Usage1764592600000,
      Silence1764592700000,
      QuietHours1764592750000,
      AttemptsSummarised1764592800000,
      MetricSums1764592810000,
      ConditionFigures1764592900000,
      Flapping1764592910000,
      FairClaims1764593000000,
      OrderedDeliveries1764593100000,
      TenantRests1764593150000,
      OrderedHandlers1764593200000,
    ],
    migrationsTableName: 'schema_migrations',
  });
}

const CLOSE_WITHIN_MS = 2_000;

/** Never rejects, and does not wait for a server that does not answer any more: what matters has been said before. */
export async function closeDataSource(dataSource: DataSource): Promise<void> {
  await withinDeadline(CLOSE_WITHIN_MS, dataSource.destroy()).catch(() => undefined);
}
