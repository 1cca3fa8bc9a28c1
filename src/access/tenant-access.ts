import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { storageProblem } from '../db/outages';
import { Problem } from '../event/problems';
import { isTenantId, RESERVED_TENANT } from '../event/tenant';
import { timeOfDay } from '../event/time-of-day';
import { AccessDirectory } from './identity/access-directory';
import type { KeyCaller, Scope, TenantCaller } from './identity/caller';
import { CheckedKeys } from './identity/checked-keys';
import { parseCredential } from './identity/credential';
import type { KeyRow } from './identity/directory.queries';
import { isInNetworks, plainAddress } from './identity/networks';
import { sentKey } from './identity/sent-key';
import { LastUsed } from './last-used';
import { invalidKey, RefusedCredentials } from './refusals/refused-credentials';

/** The problems of a request that needs a tenant and no scope. */
export const CALLER_PROBLEMS = [
  'tenant-required',
  'tenant-invalid',
  'api-key-missing',
  'api-key-invalid',
  'api-key-expired',
  'tenant-mismatch',
  'tenant-not-allowed',
  'tenant-reserved',
  'address-not-allowed',
  'tenant-rate-limited',
  'storage-unavailable',
] as const;

/** Finds out which tenant sends a request: by its API key, or by X-Tenant-Id where TENANT_AUTH allows it. */
@Injectable()
export class TenantAccess {
  private readonly logger = new Logger('Access');
  private readonly keys: CheckedKeys;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'TENANT_AUTH' | 'TENANT_ALLOWLIST'>,
    private readonly directory: AccessDirectory,
    private readonly refused: RefusedCredentials,
    private readonly lastUsed: LastUsed,
  ) {
    this.keys = new CheckedKeys(directory);
  }

  /**
   * Returns the caller of a request that needs this scope, if any. Sends no query, unless the directory in memory is older than
   * half a second.
   * @throws Problem of the credentials, the tenant or its status
   */
  identify(request: FastifyRequest, scope: Scope | undefined): TenantCaller | Promise<TenantCaller> {
    const waiting = this.directory.ensureFresh();
    if (!waiting) return this.decide(request, scope);
    return waiting.then(
      () => this.decide(request, scope),
      (error: unknown) => this.decideWithoutDatabase(error, request, scope),
    );
  }

  /**
   * Returns the tenant that a request seems to be from, as far as this process knows without asking: the one of its key,
   * or the one that it names where that is enough. Admits nobody, and counts nothing.
   */
  expected(headers: IncomingHttpHeaders): string | undefined {
    const sent = sentKey(headers);
    if (sent.kind === 'key') return this.keys.rowOf(sent.text)?.tenantId;
    const named = headers['x-tenant-id'];
    const { TENANT_AUTH, TENANT_ALLOWLIST: allowlist } = this.settings;
    if (TENANT_AUTH === 'key' || typeof named !== 'string' || !isTenantId(named)) return undefined;
    return allowlist.length === 0 || allowlist.includes(named) ? named : undefined;
  }

  /**
   * Checks again whether a caller who was admitted may go on to ingest. A long stream outlives its key or the status of
   * its tenant.
   * @returns the problem that ends the stream, or undefined
   */
  async refusalOf(caller: TenantCaller, address: string): Promise<Problem | undefined> {
    try {
      await this.directory.ensureFresh();
      if (caller.kind === 'key') {
        const row = this.directory.key(caller.id);
        if (!row) return invalidKey(); // it was right when it was sent, so it does not count as refused
        this.keyCaller(row, address, 'ingest');
      }
      this.admitTenant(caller.tenantId, 'ingest');
      return undefined;
    } catch (error) {
      if (error instanceof Problem) return error;
      if (storageProblem(error, UNCHECKED)) return undefined; // storing fails, and says so
      throw error;
    }
  }

  private decide(request: FastifyRequest, scope: Scope | undefined): TenantCaller {
    const { headers } = request;
    const sent = sentKey(headers);
    const byHeader = this.settings.TENANT_AUTH !== 'key';
    if (sent.kind === 'none' || (sent.kind === 'foreign' && byHeader)) {
      if (!byHeader) throw this.missingKey();
      return { kind: 'header', tenantId: this.admitTenant(readTenant(headers), scope) };
    }
    const caller = this.holderOf(sent.kind === 'key' ? sent.text : '', request, scope);
    const named = headers['x-tenant-id'];
    if (named !== undefined && named !== caller.tenantId) {
      throw new Problem('tenant-mismatch', 'X-Tenant-Id names another tenant than the API key. Leave it out.');
    }
    this.admitTenant(caller.tenantId, scope);
    this.lastUsed.note('key', caller.id);
    return caller;
  }

  /** Whoever only names a tenant is still admitted: nothing can be stored or read until PostgreSQL is back. */
  private decideWithoutDatabase(error: unknown, request: FastifyRequest, scope: Scope | undefined): TenantCaller {
    const unavailable = storageProblem(error, UNCHECKED);
    if (!unavailable) throw error;
    const sent = sentKey(request.headers);
    const byHeader = this.settings.TENANT_AUTH !== 'key';
    if (byHeader && (sent.kind === 'none' || sent.kind === 'foreign')) return this.decide(request, scope);
    throw unavailable;
  }

  private missingKey(): Problem {
    this.refused.count('key', 'missing');
    return new Problem('api-key-missing', MISSING, { headers: CHALLENGE });
  }

  private holderOf(text: string, { ip }: FastifyRequest, scope: Scope | undefined): KeyCaller {
    const row = this.keys.rowOf(text);
    if (!row) {
      const sentId = parseCredential(text)?.id;
      const reason = sentId === undefined ? 'malformed' : this.directory.key(sentId) ? 'wrong' : 'unknown';
      throw this.refused.problem({ kind: 'key', reason, address: ip, id: sentId });
    }
    return this.keyCaller(row, ip, scope);
  }

  private keyCaller(row: KeyRow, address: string, scope: Scope | undefined): KeyCaller {
    const { id, name, tenantId, scopes } = row;
    if (row.expiresAt !== null && row.expiresAt <= timeOfDay().toISOString()) {
      this.refused.count('key', 'expired');
      throw new Problem('api-key-expired', `The API key ${id} has expired (${row.expiresAt}).`, { headers: CHALLENGE });
    }
    if (row.allow && !isInNetworks(address, row.allow)) {
      this.refused.count('key', 'address');
      this.logger.warn({ msg: 'access.address-refused', keyId: id, address: plainAddress(address) });
      throw new Problem('address-not-allowed', `The API key ${id} may not be used from this address.`);
    }
    if (scope !== undefined && !scopes.includes(scope)) {
      throw new Problem('scope-missing', `The API key ${id} does not have the scope ${scope}.`);
    }
    return { kind: 'key', id, name, tenantId, scopes };
  }

  private admitTenant(tenantId: string, scope: Scope | undefined): string {
    if (tenantId === RESERVED_TENANT) {
      throw new Problem('tenant-reserved', `The tenant ${RESERVED_TENANT} is reserved for StreamForge itself.`);
    }
    const { TENANT_ALLOWLIST: allowlist } = this.settings;
    if (allowlist.length > 0 && !allowlist.includes(tenantId)) {
      throw new Problem('tenant-not-allowed', 'This tenant is not on the allowlist.');
    }
    if (scope === 'ingest' && this.directory.tenant(tenantId)?.status === 'suspended') {
      throw new Problem('tenant-suspended', 'This tenant is suspended. An operator can make it active again.');
    }
    return tenantId;
  }
}

const MISSING = 'Send an API key: Authorization: Bearer sfk_…';
const UNCHECKED = 'The API key cannot be checked because the database is unavailable.';
export const CHALLENGE = { 'WWW-Authenticate': 'Bearer' };

/**
 * Reads the tenant from X-Tenant-Id. Node joins repeated headers with a comma, which no tenant id contains, so a
 * repeated header is rejected.
 * @throws Problem `tenant-required` or `tenant-invalid`
 */
export function readTenant(headers: IncomingHttpHeaders): string {
  const tenant = headers['x-tenant-id'];
  if (tenant === undefined) throw new Problem('tenant-required', 'Send the tenant id in the X-Tenant-Id header.');
  if (typeof tenant !== 'string' || !isTenantId(tenant)) {
    throw new Problem('tenant-invalid', 'X-Tenant-Id must be sent once, with 1 to 128 letters, digits and . _ : -');
  }
  return tenant;
}
