import {
  applyDecorators,
  Injectable,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { actingOperator } from '../../access/acting-operator';
import { OperatorAccess } from '../../access/operator-access';
import { ApiProblems } from '../../http/docs/api-problem';
import { ApiCredentials } from '../../http/docs/security-schemes';
import { refuseQuery } from './no-input';
import { RedactionInterceptor } from './redaction.interceptor';

/**
 * Checks that only a GET has query parameters, that admin-gate.ts has admitted an operator, and that the operator may
 * still do it: a body takes as long as its sender likes, and the operator may have been revoked meanwhile.
 */
@Injectable()
class AdminGuard implements CanActivate {
  constructor(private readonly access: OperatorAccess) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    actingOperator(request); // throws for an endpoint that declares no @LeastRole
    if (request.method === 'GET') return true;
    refuseQuery(request);
    await this.access.checkAgain(request);
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
    UseInterceptors(RedactionInterceptor),
  );
}
