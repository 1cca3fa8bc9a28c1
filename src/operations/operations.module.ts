import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { DependencyWatch } from './dependency-watch';
import { MetricsController, OperationsController } from './operations.controller';
import { ReadinessChecks, readinessPings } from './readiness';

/** /health, /ready and /metrics: every role serves them. */
@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    PrometheusModule.register({ controller: MetricsController, path: '/metrics', defaultMetrics: { enabled: false } }),
  ],
  controllers: [OperationsController],
  providers: [ReadinessChecks, DependencyWatch, readinessPings],
})
export class OperationsModule {}
