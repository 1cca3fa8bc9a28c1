import type { IncomingHttpHeaders } from 'node:http';
import { createParamDecorator, Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { isTenantId } from '../event/tenant';
import { AdminAccess } from './admin-access';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant of the request; set by a guard. */
    tenantId?: string;
  }
}

/** Admits requests with a valid tenant and stores it in the request. */
@Injectable()
export class TenantGuard implements CanActivate {
  constructor(@Inject(SETTINGS_TOKEN) private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.tenantId = readTenant(request.headers, this.settings.TENANT_ALLOWLIST);
    return true;
  }
}

/** Admits requests with a valid tenant, and requests of an operator without a tenant. */
@Injectable()
export class TenantOrAdminGuard implements CanActivate {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly admins: AdminAccess,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const { headers } = request;
    const byAdmin = headers['x-tenant-id'] === undefined && headers['x-admin-token'] !== undefined;
    if (byAdmin) await this.admins.check(request, http.getResponse<FastifyReply>());
    else request.tenantId = readTenant(headers, this.settings.TENANT_ALLOWLIST);
    return true;
  }
}

/** Injects the tenant of the request; undefined for an operator. */
export const TenantId = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().tenantId,
);

/**
 * Reads the tenant from X-Tenant-Id. Node joins repeated headers with a comma, which no tenant id contains, so a
 * repeated header is rejected.
 * @throws Problem `tenant-required`, `tenant-invalid` or `tenant-not-allowed`
 */
export function readTenant(headers: IncomingHttpHeaders, allowlist: readonly string[]): string {
  const tenant = headers['x-tenant-id'];
  if (tenant === undefined) throw new Problem('tenant-required', 'Send the tenant id in the X-Tenant-Id header.');
  if (typeof tenant !== 'string' || !isTenantId(tenant)) {
    throw new Problem('tenant-invalid', 'X-Tenant-Id must be sent once, with 1 to 128 letters, digits and . _ : -');
  }
  if (allowlist.length > 0 && !allowlist.includes(tenant)) {
    throw new Problem('tenant-not-allowed', 'This tenant is not on the allowlist.');
  }
  return tenant;
}
