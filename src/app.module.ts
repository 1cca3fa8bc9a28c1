import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { AdminModule } from './admin/admin.module';
import { ErasureModule } from './admin/erasures/erasure-loop';
import { ReplayModule } from './admin/replays/replay-loop';
import { BrokerModule } from './broker/broker.module';
import { RedisModule } from './redis/redis.module';
import { ConfigModule } from './config/config.module';
import type { Role } from './config/roles';
import type { Settings } from './config/settings';
import { DatabaseModule } from './db/database.module';
import { OperationsModule } from './operations/operations.module';
import { InstallationModule } from './installation/installation.module';
import { IngestModule } from './ingest/ingest.module';
import { ObservabilityModule } from './observability/observability.module';
import { OperatorEventsModule } from './operator-events/operator-events.module';
import { OutboxModule } from './outbox/outbox.module';
import type { BufferBudget } from './runtime/buffer-budget';
import { BuffersModule } from './runtime/buffers.module';
import { SourcesModule } from './sources/sources.module';
import { WorkerModule } from './worker/worker.module';

type ModuleOf = (settings: Settings) => Type | DynamicModule;

const broker: ModuleOf = (settings) => BrokerModule.forRoot(settings);

/** The modules of each role. A module listed by several roles is loaded once. */
const MODULES_OF_ROLE: Record<Role, ModuleOf[]> = {
  api: [() => IngestModule, () => SourcesModule, () => AdminModule],
  publisher: [broker, () => OutboxModule, () => OperatorEventsModule, () => ReplayModule, () => ErasureModule],
  worker: [broker, () => WorkerModule],
};

@Module({})
export class AppModule {
  /** @param databaseUrl DATABASE_URL, or the URL of the embedded PostgreSQL, which must be running */
  static forRoles(settings: Settings, databaseUrl: string, buffers: BufferBudget): DynamicModule {
    const features = new Set(settings.APP_ROLE.flatMap((role) => MODULES_OF_ROLE[role]));
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings),
        ObservabilityModule.forRoot(settings),
        BuffersModule.forRoot(buffers),
        DatabaseModule.forRoot(databaseUrl),
        InstallationModule,
        RedisModule.forRoot(settings),
        OperationsModule,
        ...[...features].map((moduleOf) => moduleOf(settings)),
      ],
    };
  }
}
