import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { actingOperator, type ActingOperator } from '../../access/acting-operator';
import { readIdempotencyKey } from '../../http/idempotency-key-header';

/** Who asks for an action, and the key of the request. */
export interface ActionHeaders {
  acting: ActingOperator;
  idempotencyKey: string | undefined;
}

/** Injects ActionHeaders. @throws Problem `idempotency-key-invalid` */
export const ActionRequest = createParamDecorator((_: unknown, context: ExecutionContext): ActionHeaders => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return { acting: actingOperator(request), idempotencyKey: readIdempotencyKey(request.headers) };
});

/** Injects the text of the body, in which numbers have all their digits. */
export const BodyText = createParamDecorator(
  (_: unknown, context: ExecutionContext): string =>
    context.switchToHttp().getRequest<FastifyRequest>().bodyText ?? '{}',
);

/** Marks the response to a request whose action had been carried out before. */
export function markRepeated(reply: FastifyReply, repeated: boolean): void {
  if (repeated) reply.header('Idempotent-Replayed', 'true');
}
