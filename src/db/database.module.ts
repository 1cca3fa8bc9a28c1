import { Global, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { createPool } from './pool';

/** The connection pool of the process, injectable as `Pool`. */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(databaseUrl: string): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        {
          provide: Pool,
          inject: [SETTINGS_TOKEN],
          useFactory: (settings: Settings) => createPool(databaseUrl, `streamforge ${settings.APP_ROLE.join(',')}`),
        },
        ClosePool,
      ],
      exports: [Pool],
    };
  }
}

/** Closes the pool after the loops have stopped and the HTTP server has answered what it held. */
@Injectable()
class ClosePool implements OnApplicationShutdown {
  constructor(private readonly pool: Pool) {}

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
