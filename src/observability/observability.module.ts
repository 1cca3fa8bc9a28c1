import { Global, Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Settings } from '../config/settings';
import { AppLogger } from './app-logger';
import { logFormat } from './log-format';
import { Metrics } from './metrics';
import { SummaryLog } from './summary-log';

/** Structured logs and the metrics registry. Traces are started by main (start-tracing.ts), before anything else. */
@Global()
@Module({})
export class ObservabilityModule {
  static forRoot(settings: Settings): DynamicModule {
    const metrics = new Metrics().providers();
    return {
      module: ObservabilityModule,
      imports: [
        LoggerModule.forRoot({
          // No middleware: a logger per request costs more than everything else that a small request does.
          forRoutes: [],
          pinoHttp: logFormat(settings.LOG_LEVEL, settings.APP_ROLE.join(',')),
        }),
      ],
      providers: [...metrics, AppLogger, SummaryLog],
      exports: [...metrics, AppLogger],
    };
  }
}
