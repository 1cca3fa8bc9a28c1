import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../event/problems';
import { mayActFor } from './acting-operator';
import type { TenantCaller } from './identity/caller';
import { OperatorAccess } from './operator-access';
import { readTenant, TenantAccess } from './tenant-access';

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
    const operator = await this.operators.check(request, http.getResponse<FastifyReply>());
    if (request.headers['x-tenant-id'] === undefined) return true;
    request.tenantId = readTenant(request.headers);
    if (!mayActFor(operator, request.tenantId)) throw new Problem('event-not-found', NO_EVENT);
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

/** What a caller is told who asks for an event that does not exist or belongs to another tenant. */
export const NO_EVENT = 'There is no event with that id or eventId.';

function admit(request: FastifyRequest, caller: TenantCaller): boolean {
  request.caller = caller;
  request.tenantId = caller.tenantId;
  return true;
}

/** Injects the tenant of the request; undefined for an operator who names none. */
export const TenantId = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().tenantId,
);
