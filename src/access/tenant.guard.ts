import type { IncomingHttpHeaders } from 'node:http';
import { createParamDecorator, Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { isTenantId } from '../event/tenant';
import { AdminAccess } from './admin-access';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant on whose behalf the request is made; set by a guard. */
    tenantId?: string;
  }
}

/** Lets through requests of a tenant, and notes which one. */
@Injectable()
export class TenantGuard implements CanActivate {
  constructor(@Inject(SETTINGS_TOKEN) private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.tenantId = readTenant(request.headers, this.settings.TENANT_ALLOWLIST);
    return true;
  }
}

/** Lets through requests of a tenant, or of an operator, who has no tenant. */
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

/** Injects the tenant that the guard found; undefined for an operator. */
export const TenantId = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().tenantId,
);

/**
 * Node joins repeated headers with a comma, which no tenant id contains, so a repeated header is refused.
 * @throws Problem
 */
export function readTenant(headers: IncomingHttpHeaders, allowlist: readonly string[]): string {
  const tenant = headers['x-tenant-id'];
  if (tenant === undefined) throw new Problem('tenant-required', 'Send the tenant as X-Tenant-Id.');
  if (typeof tenant !== 'string' || !isTenantId(tenant)) {
    throw new Problem('tenant-invalid', 'X-Tenant-Id is one value of 1 to 128 letters, digits and . _ : -');
  }
  if (allowlist.length > 0 && !allowlist.includes(tenant)) {
    throw new Problem('tenant-not-allowed', 'This tenant is not on the allowlist.');
  }
  return tenant;
}
