import { Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { childPointer } from '../../event/json/json-text';
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

@Injectable()
class NoQueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    refuseQuery(context.switchToHttp().getRequest<FastifyRequest>());
    return true;
  }
}

/** Refuses query parameters, which would otherwise be ignored: a filter that has no effect misleads. */
export const NoQuery = (): MethodDecorator => UseGuards(NoQueryGuard);

/** @throws Problem `invalid-request` when the request has query parameters */
export function refuseQuery({ query }: FastifyRequest): void {
  const names = Object.keys(query ?? {});
  if (names.length === 0) return;
  throw new Problem('invalid-request', 'This endpoint takes no query parameters.', {
    errors: names.map((name) => ({
      pointer: childPointer('', name),
      code: 'invalid-request',
      message: `property ${name} should not exist`,
    })),
  });
}

/** Refuses a body, which would otherwise be ignored. Allows `{}`, because many clients send it with every POST. */
export const NoBody = (): MethodDecorator => UseGuards(NoBodyGuard);

function isEmptyObject(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;
}
