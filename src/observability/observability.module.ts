import { Global, Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Settings } from '../config/settings';
import { AppLogger } from './app-logger';
import { logFormat } from './log-format';
import { stdoutLog } from './log-output';
import { Metrics } from './metrics';
import { ProxyHealth } from './proxy-health';
import { SummaryLog } from './summary-log';
import { WorkProgress } from './work-progress';

/** Structured logs and the metrics registry. main starts tracing before anything else (start-tracing.ts). */
@Global()
@Module({})
export class ObservabilityModule {
  static forRoot(settings: Settings): DynamicModule {
    const figures = new Metrics();
    figures.measureLostLogLines(() => stdoutLog.lostLines);
    const metrics = figures.providers();
    return {
      module: ObservabilityModule,
      imports: [
        LoggerModule.forRoot({
          // No middleware: a logger for each request costs more than all other work of a small request.
          forRoutes: [],
          pinoHttp: [logFormat(settings.LOG_LEVEL, settings.APP_ROLE.join(',')), stdoutLog],
        }),
      ],
      providers: [...metrics, AppLogger, SummaryLog, WorkProgress, ProxyHealth],
      exports: [...metrics, AppLogger, WorkProgress, ProxyHealth],
    };
  }
}
