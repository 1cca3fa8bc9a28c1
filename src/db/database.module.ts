import { Global, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { applicationNameOf } from './application-name';
import { closePool } from './close-pool';
import { DatabaseHistory } from './history/database-history';
import { createPool } from './pool';

/** Provides the connection pool of the process as `Pool`, and the history of its database. */
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
          useFactory: ({ APP_ROLE, DATABASE_PASSWORD_FILE }: Settings) =>
            createPool(databaseUrl, applicationNameOf(APP_ROLE), DATABASE_PASSWORD_FILE),
        },
        DatabaseHistory,
        ClosePool,
      ],
      exports: [Pool, DatabaseHistory],
    };
  }
}

/** Closes the pool last: by then the loops have stopped and the HTTP server has finished its requests. */
@Injectable()
class ClosePool implements OnApplicationShutdown {
  constructor(private readonly pool: Pool) {}

  async onApplicationShutdown(): Promise<void> {
    await closePool(this.pool);
  }
}
