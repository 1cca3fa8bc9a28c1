import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager, type EntitySchema } from 'typeorm';
import { CONNECTION_OPTIONS, type Db } from './pool';

/** One transaction, seen by TypeORM and by query functions. */
export interface Transaction {
  entities: EntityManager;
  db: Db;
}

/**
 * TypeORM for the simple tables of the admin side, with few connections of its own. It connects at the first use, so
 * that a process boots while PostgreSQL is away; entities and SQL may share a transaction.
 */
export class EntityDatabase implements OnApplicationShutdown {
  private readonly source: DataSource;
  private opening: Promise<DataSource> | undefined;

  constructor(url: string, entities: (EntitySchema | (new () => object))[]) {
    const logger = new Logger('Postgres');
    this.source = new DataSource({
      type: 'postgres',
      url,
      applicationName: 'streamforge admin',
      entities,
      extra: { max: 4, ...CONNECTION_OPTIONS },
      poolErrorHandler: (error: Error) => logger.warn(`an idle connection broke: ${error.message}`),
    });
  }

  async entities(): Promise<EntityManager> {
    return (await this.open()).manager;
  }

  /** Commits what `work` returns, rolls back what it throws. */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const source = await this.open();
    return source.transaction(async (entities) => {
      const db = (await entities.queryRunner?.connect()) as Db;
      return work({ entities, db });
    });
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.opening) await (await this.opening).destroy();
  }

  private async open(): Promise<DataSource> {
    this.opening ??= this.source.initialize().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }
}
