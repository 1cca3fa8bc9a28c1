import { applyDecorators, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { actingOperator } from '../../access/acting-operator';
import { ApiProblems } from '../../http/docs/api-problem';
import { ApiCredentials } from '../../http/docs/security-schemes';
import { refuseQuery } from './no-input';

/** Checks that only a GET has query parameters, and that admin-gate.ts has admitted an operator. */
@Injectable()
class AdminGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    actingOperator(request); // throws for an endpoint that declares no @LeastRole
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
