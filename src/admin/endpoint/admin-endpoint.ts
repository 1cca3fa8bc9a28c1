import { applyDecorators, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AdminAccess } from '../../access/admin-access';
import { ApiProblems } from '../../http/docs/api-problem';

/** Checks the admin token and the rate limit of each request. */
@Injectable()
class AdminGuard implements CanActivate {
  constructor(private readonly access: AdminAccess) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    await this.access.check(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
    return true;
  }
}

/** Guards an admin controller and documents the problems that all its endpoints can return. */
export function AdminEndpoint(): ClassDecorator {
  return applyDecorators(
    ApiTags('admin'),
    ApiSecurity('admin-token'),
    ApiProblems('invalid-request', 'admin-token-invalid', 'admin-rate-limited', 'storage-unavailable'),
    UseGuards(AdminGuard),
  );
}
