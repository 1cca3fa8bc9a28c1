import { applyDecorators, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AdminAccess } from '../../access/admin-access';
import { refuseQuery } from './no-input';
import { ApiProblems } from '../../http/docs/api-problem';

/** Checks the admin token and the rate limit of each request, and that only a GET has query parameters. */
@Injectable()
class AdminGuard implements CanActivate {
  constructor(private readonly access: AdminAccess) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    await this.access.check(request, http.getResponse<FastifyReply>());
    if (request.method !== 'GET') refuseQuery(request);
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
