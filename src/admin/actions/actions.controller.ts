import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Problem } from '../../event/problems';
import { parseUuid } from '../../event/uuid-v7';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { ApiProblems } from '../../http/docs/api-problem';
import { findAuditEntry } from '../audit/audit.queries';
import { roleOfAction } from '../audit/admin-action';
import { LeastRole, requireRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoBody, NoQuery } from '../endpoint/no-input';
import { findErasure } from '../erasures/erasure.queries';
import { Erasures } from '../erasures/erasures';
import { readProgressOf } from '../replays/replay-progress';
import { findReplay } from '../replays/replay.queries';
import { Replays } from '../replays/replays';
import { ActionResponse } from './actions.responses';

const ACTION_ID = { name: 'actionId', format: 'uuid', description: 'The `actionId` in the response to the action' };

/**
 * Actions are audit entries. Only replays and erasures go on after their response; the entry has the id of the replay or
 * the erasure. A resubmission is recorded before it is carried out, so it can be seen while it runs.
 */
@AdminEndpoint()
@Controller('v1/admin/actions')
export class ActionsController {
  constructor(
    private readonly pool: Pool,
    private readonly replays: Replays,
    private readonly erasures: Erasures,
  ) {}

  @Get(':actionId')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'getAction',
    summary: 'Show what an action has done so far, as the number of events or entries by outcome.',
  })
  @ApiParam(ACTION_ID)
  @ApiOkResponse({ type: ActionResponse })
  @ApiProblems('action-not-found')
  async show(@Param('actionId') actionId: string, @Acting() acting: ActingOperator): Promise<ActionResponse> {
    const id = parseUuid(actionId);
    const action = id === undefined ? undefined : await this.find(id, acting);
    if (!action) throw new Problem('action-not-found', 'No action has this id.');
    return action;
  }

  @Post(':actionId/cancel')
  @LeastRole('support')
  @HttpCode(202)
  @NoBody()
  @ApiOperation({
    operationId: 'cancelAction',
    summary: 'Stop what an action has not begun. Only replays and erasures go on after their response.',
    description:
      'Needs the role that the action itself needs, which is `operator` for a replay and `owner` for an erasure.',
  })
  @ApiParam(ACTION_ID)
  @ApiAcceptedResponse({ type: ActionResponse })
  @ApiProblems('action-not-found')
  async cancel(@Param('actionId') actionId: string, @Acting() acting: ActingOperator): Promise<ActionResponse> {
    const action = await this.show(actionId, acting);
    requireRole(acting, roleOfAction(action.action));
    const erasure = await findErasure(this.pool, action.actionId, acting.tenantIds);
    if (erasure) await this.erasures.cancel(erasure, acting);
    else await this.replays.cancel(action.actionId, acting);
    return this.show(actionId, acting);
  }

  private async find(id: string, { tenantIds }: ActingOperator): Promise<ActionResponse | undefined> {
    const [entry, replay, erasure] = await Promise.all([
      findAuditEntry(this.pool, id, tenantIds),
      findReplay(this.pool, id, tenantIds),
      findErasure(this.pool, id, tenantIds),
    ]);
    const note = entry?.note ?? null;
    if (replay) {
      // A replay that the build before started has an audit entry with another id.
      const { progress } = await readProgressOf(this.pool, id);
      const { status, filter, matched, correlationId, createdAt } = replay;
      const action = replay.mode === 'backfill' ? 'destination.backfill' : 'replay';
      return { actionId: id, action, status, filter, matched, progress, note, correlationId, createdAt };
    }
    if (!entry) return undefined;
    const { action, filter, correlationId, at: createdAt } = entry;
    const counts: Record<string, number> = erasure
      ? { matched: erasure.counts.events, ...erasure.counts }
      : entry.counts;
    const status = erasure?.status ?? (entry.running ? 'RUNNING' : 'DONE');
    const { matched = 0, ...progress } = counts;
    return { actionId: id, action, status, filter, matched, progress, note, correlationId, createdAt };
  }
}
