import { Global, Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Settings } from '../config/settings';
import { AppLogger } from './app-logger';
import { Metrics } from './metrics';

/** Structured logs and the metrics registry. */
@Global()
@Module({})
export class ObservabilityModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: ObservabilityModule,
      imports: [
        LoggerModule.forRoot({
          // No middleware: a logger per request costs more than everything else that a small request does.
          forRoutes: [],
          pinoHttp: {
            level: settings.LOG_LEVEL,
            base: { role: settings.APP_ROLE.join(',') },
            timestamp: () => `,"time":"${new Date().toISOString()}"`,
            formatters: { level: (label) => ({ level: label }) },
            redact: ['req.headers', '*.password', '*.token', '*.secret'],
            ...(process.stdout.isTTY
              ? { transport: { target: 'pino-pretty', options: { singleLine: true, ignore: 'role' } } }
              : {}),
          },
        }),
      ],
      providers: [Metrics, AppLogger],
      exports: [Metrics, AppLogger],
    };
  }
}
