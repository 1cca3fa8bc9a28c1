import { applyDecorators, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { leastRoleOf } from '../../access/least-role';
import { includesRole } from '../../access/identity/operator-roles';
import { OperatorAccess } from '../../access/operator-access';
import { Problem } from '../../event/problems';
import { refuseQuery } from './no-input';
import { ApiProblems } from '../../http/docs/api-problem';
import { ApiCredentials } from '../../http/docs/security-schemes';

/** Checks the operator, the role and the rate limit of each request, and that only a GET has query parameters. */
@Injectable()
class AdminGuard implements CanActivate {
  constructor(private readonly access: OperatorAccess) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const { role } = await this.access.check(request, http.getResponse<FastifyReply>());
    const least = leastRoleOf(context);
    if (!includesRole(role, least)) {
      throw new Problem('role-insufficient', `This needs the role ${least} or a higher one. Your role is ${role}.`);
    }
    if (request.method !== 'GET') refuseQuery(request);
    return true;
  }
}

/** Guards an admin controller and documents the problems that all its endpoints can return. */
export function AdminEndpoint(): ClassDecorator {
  return applyDecorators(
    ApiTags('admin'),
    ApiCredentials('operators'),
    ApiProblems(
      'invalid-request',
      'admin-token-invalid',
      'admin-rate-limited',
      'storage-unavailable',
      'issuer-unavailable',
    ),
    UseGuards(AdminGuard),
  );
}
