import { Injectable } from '@nestjs/common';
import { mayActFor } from '../acting-operator';
import { AccessDirectory } from '../identity/access-directory';
import type { OperatorCaller } from '../identity/caller';
import { includesRole } from '../identity/operator-roles';

/** Operators with this role see what tenants redact. */
const SEES_ALL = 'operator';

/** What operators may not see of the payloads of a tenant. Costs no query: the directory is in memory. */
@Injectable()
export class Redaction {
  constructor(private readonly directory: AccessDirectory) {}

  /** Returns the JSON Pointers to what this operator may not see of the tenant's payloads. */
  pointersFor({ role }: Pick<OperatorCaller, 'role'>, tenantId: string): readonly string[] {
    return includesRole(role, SEES_ALL) ? [] : (this.directory.tenant(tenantId)?.redact ?? []);
  }

  /**
   * Returns whether texts about a tenant's events must be hidden from this operator, or undefined if there are none to
   * hide. If the tenant is not known, they are hidden if the operator may see a tenant that redacts.
   */
  hiddenFrom(operator: Pick<OperatorCaller, 'role' | 'tenantIds'>): ((tenantId?: string) => boolean) | undefined {
    if (includesRole(operator.role, SEES_ALL)) return undefined;
    const redacting = [...this.directory.redactingTenants()].filter((id) => mayActFor(operator, id));
    if (redacting.length === 0) return undefined;
    const hidden = new Set(redacting);
    return (tenantId) => tenantId === undefined || hidden.has(tenantId);
  }
}
