import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readIdempotencyKey } from '../../http/idempotency-key-header';

/** What the headers of a request say about the action that it asks for. */
export interface ActionHeaders {
  correlationId: string;
  idempotencyKey: string | undefined;
}

/** Injects ActionHeaders. @throws Problem `idempotency-key-invalid` */
export const ActionRequest = createParamDecorator((_: unknown, context: ExecutionContext): ActionHeaders => {
  const { id, headers } = context.switchToHttp().getRequest<FastifyRequest>();
  return { correlationId: id, idempotencyKey: readIdempotencyKey(headers) };
});

/** Marks the response to a request whose action had been carried out before. */
export function markRepeated(reply: FastifyReply, repeated: boolean): void {
  if (repeated) reply.header('Idempotent-Replayed', 'true');
}
