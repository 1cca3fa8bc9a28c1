import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { ActingOperator } from '../../access/acting-operator';
import { refuseOtherTenant } from '../../access/tenant-scope';
import type { Db } from '../../db/pool';
import { Problem } from '../../event/problems';
import {
  countExpectations,
  deleteExpectation,
  listExpectations,
  lockExpectations,
  putExpectation,
  type Expectation,
} from '../../silence/expectations.queries';
import { learnedStates } from '../../silence/learned-state';
import { MOST_LEARNING, subjectOfType } from '../../silence/silence-rule';
import { AdminActions } from '../endpoint/admin-actions';
import { KnownTenants } from '../tenants/known-tenants';
import { checkNotReserved } from '../tenants/tenants';
import type { ExpectationPath, ExpectationRequest } from './expectations.requests';
import type { ExpectationResponse } from './expectations.responses';

const MOST_OF_TENANT = 100;

/** What is expected of the types of a tenant. Each change is recorded in the audit trail. */
@Injectable()
export class Expectations {
  constructor(
    private readonly pool: Pool,
    private readonly actions: AdminActions,
    private readonly known: KnownTenants,
  ) {}

  async list(tenantId: string, acting: ActingOperator): Promise<ExpectationResponse[]> {
    refuseOtherTenant(acting, tenantId);
    return this.shown(await listExpectations(this.pool, tenantId, MOST_OF_TENANT));
  }

  /** @throws Problem `tenant-reserved`, `tenant-not-found` or `too-many-expectations` */
  async put(
    { tenantId, eventType }: ExpectationPath,
    request: ExpectationRequest,
    acting: ActingOperator,
  ): Promise<ExpectationResponse> {
    refuseOtherTenant(acting, tenantId);
    checkNotReserved(tenantId);
    const { expectEverySeconds = null, activeHours = null, learnSilence = false } = request;
    const next = { tenantId, eventType, expectEverySeconds, activeHours, learnSilence };
    const put = await this.actions.run({
      action: 'expectation.put',
      filter: next,
      acting,
      tenantIds: [tenantId],
      work: async (db) => ({ result: await this.stored(db, next), counts: { matched: 1 } }),
    });
    if (put.repeated) throw new Error('a change without an idempotency key was repeated');
    const [shown] = await this.shown([put.result]);
    return shown as ExpectationResponse;
  }

  /** One that is gone already is none, so a repeated request changes nothing. */
  async delete({ tenantId, eventType }: ExpectationPath, acting: ActingOperator): Promise<void> {
    refuseOtherTenant(acting, tenantId);
    await this.actions.run({
      action: 'expectation.delete',
      filter: { tenantId, eventType },
      acting,
      tenantIds: [tenantId],
      work: async (db) => ({
        result: undefined,
        counts: { matched: await deleteExpectation(db, tenantId, eventType) },
      }),
    });
  }

  private async stored(db: Db, next: Omit<Expectation, 'createdAt' | 'updatedAt'>): Promise<Expectation> {
    await this.known.check(db, next.tenantId);
    await lockExpectations(db);
    const { ofTenant, learning } = await countExpectations(db, next.tenantId, next.eventType);
    if (ofTenant >= MOST_OF_TENANT || (next.learnSilence && learning >= MOST_LEARNING)) {
      const detail = `The maximum is ${MOST_OF_TENANT} expectations per tenant, and ${MOST_LEARNING} that are learned per installation. Delete one first.`;
      throw new Problem('too-many-expectations', detail);
    }
    return putExpectation(db, next);
  }

  private async shown(expectations: readonly Expectation[]): Promise<ExpectationResponse[]> {
    const rows = expectations.map((each) => ({ ...each, subject: subjectOfType(each.tenantId, each.eventType) }));
    const states = await learnedStates(this.pool, rows);
    return rows.map(({ subject, ...each }) => ({ ...each, learned: states.get(subject) ?? null }));
  }
}
