import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension } from '@nestjs/swagger';
import { Problem } from '../event/problems';
import { ApiProblems } from '../http/docs/api-problem';
import type { RouteBody } from '../http/route-body';
import type { OperatorCaller } from './identity/caller';
import { includesRole, type OperatorRole } from './identity/operator-roles';

/** Who may call an admin endpoint. */
export interface NeededRole {
  leastRole: OperatorRole;
  /** The endpoint concerns all tenants at once, so operators who are bound to some of them may not call it. */
  allTenants: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set for routes of admin endpoints. */
    needed?: NeededRole;
  }
}

/**
 * Declares the least role that an admin endpoint needs. The OpenAPI document has it as `x-role`, and `allTenants` as
 * `x-all-tenants`.
 *
 * @param body for an endpoint that gets the raw bytes. A second RouteConfig would replace this one.
 */
export function LeastRole(
  leastRole: OperatorRole,
  { allTenants = false, body = {} }: { allTenants?: boolean; body?: RouteBody | Record<string, never> } = {},
): MethodDecorator {
  const needed: NeededRole = { leastRole, allTenants };
  return applyDecorators(
    RouteConfig({ ...body, needed }),
    ApiExtension('x-role', leastRole),
    ...(allTenants ? [ApiExtension('x-all-tenants', true)] : []),
    ApiProblems('role-insufficient'),
  );
}

/** @throws Problem `role-insufficient` */
export function requireRole({ role }: Pick<OperatorCaller, 'role'>, least: OperatorRole): void {
  if (includesRole(role, least)) return;
  throw new Problem('role-insufficient', `This needs the role ${least} or a higher one. Your role is ${role}.`);
}

/** @throws Problem `role-insufficient` when the operator may not call an endpoint */
export function requireNeeded(operator: OperatorCaller, { leastRole, allTenants }: NeededRole): void {
  requireRole(operator, leastRole);
  if (!allTenants || operator.tenantIds === null) return;
  throw new Problem('role-insufficient', 'This concerns all tenants, and you are bound to some of them.');
}
