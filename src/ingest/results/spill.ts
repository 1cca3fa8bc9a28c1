import * as os from 'node:os';
import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Metrics } from '../../observability/metrics';
import { openUnnamed, refusalOf } from './spill-directory';
import { SpillFile } from './spill-file';

/** The part of SPILL_MAX_BYTES that the streams of one tenant may use. */
const TENANT_SHARE = 0.5;

/**
 * The disk space for results that clients have not read yet. Bounded for the process, and for each tenant by half of it,
 * so that one tenant cannot fill it. A stream that gets no space waits for its reader (result-lines.ts).
 */
@Injectable()
export class Spill {
  private readonly logger = new Logger('Ingest');
  private readonly directory: string | undefined;
  private readonly maxBytes: number;
  private usedBytes = 0;
  /** Only tenants that use some. */
  private readonly usedByTenant = new Map<string, number>();

  constructor(
    @Inject(SETTINGS_TOKEN) settings: Pick<Settings, 'SPILL_DIRECTORY' | 'SPILL_MAX_BYTES'>,
    private readonly metrics: Metrics,
    @Optional() temporary: string = os.tmpdir(),
  ) {
    this.maxBytes = settings.SPILL_MAX_BYTES;
    this.directory = this.maxBytes > 0 ? this.usable(settings.SPILL_DIRECTORY ?? temporary) : undefined;
  }

  /** Returns undefined where there is no place for a file. The caller must close it. */
  open(tenantId: string): SpillFile | undefined {
    if (this.directory === undefined) return undefined;
    try {
      return new SpillFile(openUnnamed(this.directory), {
        reserve: (bytes) => this.reserve(tenantId, bytes),
        release: (bytes) => this.release(tenantId, bytes),
        onFailure: (error) => this.failed(error),
      });
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** The start has checked SPILL_DIRECTORY (spill-directory.ts), but not the directory for temporary files. */
  private usable(directory: string): string | undefined {
    const refusal = refusalOf(directory);
    if (refusal === undefined) return directory;
    this.logger.warn(
      `No file can be made in ${directory} (${refusal}), so streams whose results are not read wait for their reader. Set SPILL_DIRECTORY to a writable directory.`,
    );
    return undefined;
  }

  private reserve(tenantId: string, bytes: number): boolean {
    const used = this.usedByTenant.get(tenantId) ?? 0;
    if (this.usedBytes + bytes > this.maxBytes || used + bytes > this.maxBytes * TENANT_SHARE) return false;
    this.usedByTenant.set(tenantId, used + bytes);
    this.usedBytes += bytes;
    this.metrics.spilledBytes.set(this.usedBytes);
    return true;
  }

  private release(tenantId: string, bytes: number): void {
    const left = (this.usedByTenant.get(tenantId) ?? 0) - bytes;
    if (left > 0) this.usedByTenant.set(tenantId, left);
    else this.usedByTenant.delete(tenantId);
    this.usedBytes -= bytes;
    this.metrics.spilledBytes.set(this.usedBytes);
  }

  private failed(error: unknown): void {
    this.metrics.spillFailures.inc();
    this.logger.error({ msg: 'spill failed', directory: this.directory, err: error });
  }
}
