import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { OperatorCaller } from './identity/caller';
import { plainAddress } from './identity/networks';

/** An operator who sends a request, as the audit trail names it. */
export interface ActingOperator extends OperatorCaller {
  address: string;
  correlationId: string;
}

/** Returns the operator of a request that a guard has admitted. */
export function actingOperator({ caller, ip, id }: Pick<FastifyRequest, 'caller' | 'ip' | 'id'>): ActingOperator {
  if (caller?.kind !== 'operator') throw new Error('no guard has admitted an operator');
  return { ...caller, address: plainAddress(ip), correlationId: id };
}

/** Injects the operator who sends the request. */
export const Acting = createParamDecorator((_: unknown, context: ExecutionContext) =>
  actingOperator(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** Whether an operator may see and change what belongs to this tenant. */
export function mayActFor({ tenantIds }: Pick<OperatorCaller, 'tenantIds'>, tenantId: string): boolean {
  return tenantIds === null || tenantIds.includes(tenantId);
}

/** The tenants that a list or an action covers; null: all tenants. */
export type TenantIds = readonly string[] | null;

/**
 * Returns the tenants that a request covers, if it asks for `tenantId`, or for all that the operator may see. A tenant
 * that the operator may not see is like one that does not exist: nothing is covered.
 */
export function tenantsCovered({ tenantIds }: Pick<OperatorCaller, 'tenantIds'>, tenantId?: string): TenantIds {
  if (tenantId === undefined) return tenantIds;
  return mayActFor({ tenantIds }, tenantId) ? [tenantId] : [];
}
