import { Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../event/problems';

@Injectable()
class NoBodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (body === undefined || isEmptyObject(body)) return true;
    throw new Problem('invalid-request', 'This endpoint takes no body.', {
      errors: [{ pointer: '', code: 'invalid-request', message: 'send no body, or an empty object' }],
    });
  }
}

/** Refuses a body, which would otherwise be ignored. Allows `{}`, because many clients send it with every POST. */
export const NoBody = (): MethodDecorator => UseGuards(NoBodyGuard);

function isEmptyObject(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;
}
