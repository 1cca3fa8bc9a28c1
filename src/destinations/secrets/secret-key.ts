import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { keepDestinationsKey } from '../destinations.queries';
import { SecretBox } from './secret-box';

const KEY_BYTES = 32;

/**
 * Provides the SecretBox of this installation. Production requires DESTINATIONS_SECRET_KEY. Without it, the first use
 * creates a key and stores it in the database. All processes then share it and restarts keep it, but anybody who can
 * read the database can open all secrets.
 */
@Injectable()
export class SecretKey {
  private opening: Promise<SecretBox> | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
  ) {}

  box(): Promise<SecretBox> {
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async open(): Promise<SecretBox> {
    const [first, ...others] = this.settings.DESTINATIONS_SECRET_KEY;
    if (first) return new SecretBox([first, ...others]);
    return new SecretBox([await keepDestinationsKey(this.pool, randomBytes(KEY_BYTES))]);
  }
}
