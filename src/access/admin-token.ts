import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { keepAdminToken } from './admin-token.queries';

const TOKEN_BYTES = 18;

/**
 * Provides the admin token. Production requires ADMIN_TOKEN. Elsewhere, StreamForge generates a token when none is set, so
 * that there is no well-known default, and keeps it in the database, so that all processes and later starts share it.
 */
@Injectable()
export class AdminToken {
  private reading: Promise<string> | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'ADMIN_TOKEN'>,
    private readonly pool: Pool,
  ) {}

  get isGenerated(): boolean {
    return this.settings.ADMIN_TOKEN === undefined;
  }

  /** @throws the error of PostgreSQL when the token is generated and cannot be read */
  value(): Promise<string> {
    this.reading ??= this.read().catch((error: unknown) => {
      this.reading = undefined;
      throw error;
    });
    return this.reading;
  }

  private async read(): Promise<string> {
    return this.settings.ADMIN_TOKEN ?? keepAdminToken(this.pool, randomBytes(TOKEN_BYTES).toString('base64url'));
  }
}
