import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OperatorCaller, TenantCaller } from './identity/caller';
import { includesRole } from './identity/operator-roles';
import { OperatorAccess } from './operator-access';
import { readTenant, TenantAccess } from './tenant-access';
import { scopeOf, type TenantScope } from './tenant-scope';

/** Admits requests that may ingest events, and stores the caller and its tenant in the request. */
@Injectable()
export class IngestGuard implements CanActivate {
  constructor(private readonly tenants: TenantAccess) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = this.tenants.identify(request, 'ingest');
    return caller instanceof Promise ? caller.then((known) => admit(request, known)) : admit(request, caller);
  }
}

/** Admits requests that may read the events of a tenant, and requests of operators, who need not name a tenant. */
@Injectable()
export class ReadGuard implements CanActivate {
  constructor(
    private readonly tenants: TenantAccess,
    private readonly operators: OperatorAccess,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (!this.operators.isClaimed(request.headers)) return admit(request, await this.tenants.identify(request, 'read'));
    await this.operators.check(request, http.getResponse<FastifyReply>());
    if (request.headers['x-tenant-id'] === undefined) return true;
    request.tenantId = readTenant(request.headers);
    return true;
  }
}

/** Admits whoever has valid credentials, or names a tenant where that is enough. */
@Injectable()
export class CallerGuard implements CanActivate {
  constructor(
    private readonly tenants: TenantAccess,
    private readonly operators: OperatorAccess,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (!this.operators.isClaimed(request.headers))
      return admit(request, await this.tenants.identify(request, undefined));
    await this.operators.check(request, http.getResponse<FastifyReply>());
    return true;
  }
}

function admit(request: FastifyRequest, caller: TenantCaller): boolean {
  request.caller = caller;
  request.tenantId = caller.tenantId;
  return true;
}

/** What a caller whom ReadGuard has admitted may see. */
export interface Reader extends TenantScope {
  seesPayloads: boolean;
  /** Undefined for a tenant, who sees everything of its own. */
  operator?: OperatorCaller;
}

function readerOf({ caller, tenantId }: FastifyRequest): Reader {
  if (caller?.kind === 'operator') {
    return { ...scopeOf(caller, tenantId), seesPayloads: includesRole(caller.role, 'support'), operator: caller };
  }
  if (tenantId === undefined) throw new Error('no guard has set the tenant of this request');
  return { tenantId, tenantIds: null, seesPayloads: true };
}

/** Injects the Reader who sends the request. */
export const Reading = createParamDecorator((_: unknown, context: ExecutionContext) =>
  readerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
