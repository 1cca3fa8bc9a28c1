import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { keepDestinationsKey } from '../destinations.queries';
import { SecretBox } from './secret-box';

const KEY_BYTES = 32;

/**
 * The box of this installation. Without DESTINATIONS_SECRET_KEY, which production asks for, the key is made at the first
 * use and kept in the database: every process has it and no restart loses it, but who reads the database can open all
 * secrets.
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
