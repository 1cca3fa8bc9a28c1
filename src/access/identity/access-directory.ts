import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { FreshCopy } from '../../db/fresh-copy';
import {
  readAccessVersion,
  readKeysSince,
  readOperatorsSince,
  readTenantsSince,
  type KeyRow,
  type OperatorRow,
  type TenantRow,
} from './directory.queries';

/**
 * Holds all tenants, API keys and operators in memory, never older than half a second (fresh-copy.ts), so that a
 * request is checked without a query. A changed row is read alone: a change among 10,000 keys costs one row.
 */
@Injectable()
export class AccessDirectory {
  private readonly tenants = new Map<string, TenantRow>();
  private readonly keys = new Map<string, KeyRow>();
  private readonly operators = new Map<string, OperatorRow>();
  /** Tenants that redact something. */
  private readonly redacting = new Set<string>();
  private version = '0';
  private readonly copy = new FreshCopy(() => this.read());

  constructor(private readonly pool: Pool) {}

  /**
   * Returns undefined if the directory is fresh, otherwise a promise to wait for, which rejects with the error of
   * PostgreSQL when the directory cannot be refreshed.
   */
  ensureFresh(): Promise<void> | undefined {
    return this.copy.ensure();
  }

  /** Makes the next call of `ensureFresh` refresh first. */
  invalidate(): void {
    this.copy.invalidate();
  }

  /** Undefined for a tenant that is not registered. */
  tenant(id: string): TenantRow | undefined {
    return this.tenants.get(id);
  }

  /** The ids of the tenants that redact something. */
  redactingTenants(): ReadonlySet<string> {
    return this.redacting;
  }

  /** Undefined for a key that is revoked or does not exist. */
  key(id: string): KeyRow | undefined {
    return this.keys.get(id);
  }

  /** Undefined for an operator whose token is revoked or does not exist. */
  operator(id: string): OperatorRow | undefined {
    return this.operators.get(id);
  }

  private async read(): Promise<void> {
    // The version is read first: a change between the reads is then loaded twice instead of missed.
    const version = await readAccessVersion(this.pool);
    if (version === this.version) return;
    // A database that was restored, or replaced by a replica that lagged behind, has a lower version. Its next versions
    // are those of changes that this process has read already, so everything is read again.
    const since = BigInt(version) < BigInt(this.version) ? '0' : this.version;
    const [tenants, keys, operators] = await Promise.all([
      readTenantsSince(this.pool, since),
      readKeysSince(this.pool, since),
      readOperatorsSince(this.pool, since),
    ]);
    if (since === '0') for (const rows of [this.tenants, this.keys, this.operators, this.redacting]) rows.clear();
    for (const tenant of tenants) {
      this.tenants.set(tenant.id, tenant);
      if (tenant.redact.length > 0) this.redacting.add(tenant.id);
      else this.redacting.delete(tenant.id);
    }
    for (const key of keys) keepLive(this.keys, key);
    for (const operator of operators) keepLive(this.operators, operator);
    this.version = version;
  }
}

function keepLive<T extends { id: string; revoked: boolean }>(rows: Map<string, T>, row: T): void {
  if (row.revoked) rows.delete(row.id);
  else rows.set(row.id, row);
}
