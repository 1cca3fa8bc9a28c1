import { applyDecorators, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { ApiProblems } from '../http/docs/api-problem';
import type { OperatorRole } from './identity/operator-roles';

const LEAST_ROLE = Symbol('LeastRole');

/** Declares the least role that an admin endpoint needs. The OpenAPI document has it as `x-role`. */
export function LeastRole(role: OperatorRole): MethodDecorator {
  return applyDecorators(SetMetadata(LEAST_ROLE, role), ApiExtension('x-role', role), ApiProblems('role-insufficient'));
}

/** Returns the declared role of the endpoint. @throws if an endpoint declares none: it must not serve anybody. */
export function leastRoleOf(context: ExecutionContext): OperatorRole {
  const role = Reflect.getMetadata(LEAST_ROLE, context.getHandler()) as OperatorRole | undefined;
  if (!role) throw new Error(`${context.getClass().name}.${context.getHandler().name} declares no @LeastRole`);
  return role;
}
