import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { actingOperator } from '../../access/acting-operator';
import { redactResponse } from '../../access/redaction/redact-response';
import { Redaction } from '../../access/redaction/redaction';

/** Hides what tenants redact in the responses of all admin endpoints, from operators below the role `operator`. */
@Injectable()
export class RedactionInterceptor implements NestInterceptor {
  constructor(private readonly redaction: Redaction) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const isHidden = this.redaction.hiddenFrom(actingOperator(context.switchToHttp().getRequest<FastifyRequest>()));
    return isHidden ? next.handle().pipe(map((body: unknown) => redactResponse(body, isHidden))) : next.handle();
  }
}
