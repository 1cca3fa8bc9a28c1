import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { Metrics } from '../observability/metrics';
import { DependencyWatch } from './dependency-watch';
import { ClockIndicator, RabbitIndicator, RedisIndicator } from './health-indicators';
import { MetricsController, OperationsController } from './operations.controller';
import { PostgresIndicator } from './postgres-indicator';
import { ReadinessChecks } from './readiness';
import { RootController } from './root.controller';
import { RunbooksController } from './runbooks.controller';
import { UpkeepCheck } from './upkeep-check';

/** Serves /, /health, /ready, /metrics and /runbooks in every role. */
@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    PrometheusModule.registerAsync({
      controller: MetricsController,
      inject: [Metrics],
      useFactory: (metrics) => ({
        defaultMetrics: { enabled: true, config: { register: (metrics as Metrics).registry } },
      }),
    }),
  ],
  controllers: [RootController, OperationsController, RunbooksController],
  providers: [
    PostgresIndicator,
    RedisIndicator,
    RabbitIndicator,
    ClockIndicator,
    UpkeepCheck,
    ReadinessChecks,
    DependencyWatch,
  ],
})
export class OperationsModule {}
