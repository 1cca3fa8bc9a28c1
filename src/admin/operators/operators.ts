import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { mayActFor, tenantsCovered, type ActingOperator, type TenantIds } from '../../access/acting-operator';
import { mintCredential } from '../../access/identity/credential';
import type { Db } from '../../db/pool';
import { parseInstant } from '../../event/instant';
import { Problem } from '../../event/problems';
import { AccessChanges } from '../endpoint/access-changes';
import { cursorAfterKey, decodeKeyCursor } from '../endpoint/paging';
import {
  changeOperator,
  countOperators,
  findOperatorId,
  insertOperator,
  listOperators,
  revokeOperator,
  type NamedOperator,
  type NewOperator,
} from './operators.queries';
import type { OperatorChangeRequest, OperatorRequest, OperatorsQuery } from './operators.requests';
import type { NewOperatorResponse, OperatorsPage } from './operators.responses';

const MOST_OPERATORS = 1_000;
/** Otherwise an owner who is bound to tenants could take all places of the installation. */
const MOST_OF_BOUND_OWNER = 100;

/** Creates, changes, revokes and lists operators. ADMIN_TOKEN is none of them and always works. */
@Injectable()
export class Operators {
  constructor(
    private readonly pool: Pool,
    private readonly changes: AccessChanges,
  ) {}

  async list({ cursor, limit }: OperatorsQuery, acting: ActingOperator): Promise<OperatorsPage> {
    const before = cursor === undefined ? null : (decodeKeyCursor('operators', cursor, 1)[0] as string);
    const operators = await listOperators(this.pool, { visibleTo: tenantsCovered(acting), before, limit });
    return { operators, nextCursor: cursorAfterKey('operators', operators, limit) };
  }

  async create(request: OperatorRequest, acting: ActingOperator): Promise<NewOperatorResponse> {
    const { name, role, tenantIds = null } = request;
    checkBinding(acting, tenantIds);
    const { id, text, digest } = mintCredential('sfa');
    const fresh = { id, name, role, tenantIds, expiresAt: instantOf(request.expiresAt) ?? null };
    const change = { action: 'operator.create', filter: fresh, acting, tenantIds } as const;
    const created = await this.changes.run(change, (db) =>
      insertWithinLimit(db, { ...fresh, digest, createdBy: acting.name }, tenantsCovered(acting)),
    );
    return { ...created, token: text };
  }

  async change(id: string, request: OperatorChangeRequest, acting: ActingOperator): Promise<NamedOperator> {
    const { expiresAt, ...rest } = request;
    if (rest.tenantIds !== undefined) checkBinding(acting, rest.tenantIds);
    const change = expiresAt === undefined ? rest : { ...rest, expiresAt: instantOf(expiresAt) };
    const action = {
      action: 'operator.change',
      filter: { id, ...change },
      acting,
    } as const;
    return this.changes.run(action, async (db) => {
      const place = { visibleTo: tenantsCovered(acting), id };
      const holder = change.name === undefined ? undefined : await findOperatorId(db, change.name);
      if (holder === undefined || holder === id) return (await changeOperator(db, place, change)) ?? noSuchOperator();
      return (await isVisible(db, place)) ? nameIsTaken() : noSuchOperator();
    });
  }

  async revoke(id: string, acting: ActingOperator): Promise<void> {
    const change = { action: 'operator.revoke', filter: { id }, acting } as const;
    await this.changes.run(change, async (db) => {
      if (!(await revokeOperator(db, { visibleTo: tenantsCovered(acting), id }))) noSuchOperator();
    });
  }
}

/** Whether a change without fields finds the operator. */
async function isVisible(db: Db, place: { visibleTo: TenantIds; id: string }): Promise<boolean> {
  return (await changeOperator(db, place, {})) !== undefined;
}

const instantOf = (text: string | null | undefined): string | null => parseInstant(text ?? '')?.utc ?? null;

/** An operator who is bound to tenants binds others to some of these. @throws Problem `role-insufficient` */
function checkBinding(acting: ActingOperator, tenantIds: string[] | null): void {
  if (acting.tenantIds === null || tenantIds?.every((tenantId) => mayActFor(acting, tenantId))) return;
  const detail = 'You are bound to tenants. Bind the operator to some of these with tenantIds.';
  throw new Problem('role-insufficient', detail);
}

async function insertWithinLimit(db: Db, fresh: NewOperator, visibleTo: TenantIds): Promise<NamedOperator> {
  const { all, visible } = await countOperators(db, visibleTo);
  if (visibleTo !== null && visible >= MOST_OF_BOUND_OWNER) {
    const detail = `The maximum is ${MOST_OF_BOUND_OWNER} operators who are bound to your tenants. Revoke one first.`;
    throw new Problem('too-many-credentials', detail);
  }
  if (all >= MOST_OPERATORS) {
    throw new Problem('too-many-credentials', `The maximum is ${MOST_OPERATORS} operators. Revoke one first.`);
  }
  return (await insertOperator(db, fresh)) ?? nameIsTaken();
}

function nameIsTaken(): never {
  throw new Problem('already-exists', 'An operator who is not revoked has this name.');
}

function noSuchOperator(): never {
  throw new Problem('operator-not-found', 'No operator who is not revoked has this id.');
}
