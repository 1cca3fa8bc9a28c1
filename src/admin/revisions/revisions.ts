import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { Db } from '../../db/pool';
import { reopenDeliveries, reviseDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import type { Event } from '../../event/event';
import { sha256 } from '../../event/identity/content-hash';
import { Problem } from '../../event/problems';
import type { RevisedPayload } from '../../event/revise-event';
import { dispatchDeadLetters } from '../../event-state/dispatch-dead-letters.queries';
import { lockForRevision, setRevision } from '../../event-state/revise-events.queries';
import { WakeUp } from '../../redis/wake-up';
import type { Revision } from '../../revisions/revision';
import { insertRevision, listRevisions } from '../../revisions/revisions.queries';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { inProcess, refusedRevision } from './decide-revision';
import { findRevisable, type RevisableEvent } from './revisable-event.queries';
import { revisedContent } from './revised-content';
import type { AskedRevision, NewContent } from './revision-body';

/** A revision that was made, or would be. */
export interface MadeRevision {
  event: Event;
  /** The payload before it, as JSON text. */
  before: string;
  revision: Omit<Revision, 'createdAt'> & { createdAt: string | null };
  /** The event is dispatched again, or one of its deliveries is due. */
  retried: boolean;
  /** Null in a dry run. */
  actionId: string | null;
  correlationId: string;
  /** The request was carried out before, for an earlier request with the same idempotency key. */
  repeated: boolean;
}

/** What a transaction is based on. It is exact under the lock of the event's state. */
interface Basis {
  event: RevisableEvent;
  /** The newest payload, as JSON text. */
  before: string;
  number: number;
  revised: RevisedPayload;
}

/** Gives an event another payload. One transaction, so that nothing is ever half done. */
@Injectable()
export class Revisions {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transactions: AdminTransactions,
    private readonly actions: AdminActions,
    private readonly wakeUp: WakeUp,
  ) {}

  /** @throws Problem `event-not-found`, those of refusedRevision and of revisedContent */
  async revise(id: string, { content, options }: AskedRevision, headers: ActionHeaders): Promise<MadeRevision> {
    const { acting, idempotencyKey: key } = headers;
    const { note, retry, dryRun } = options;
    if (dryRun) return this.transactions.read((db) => this.preview(db, id, content, options.note, headers));
    const filter = { eventIds: [id] };
    const done = await this.actions.run({
      action: 'event.revise',
      filter,
      note,
      acting,
      idempotency: { key, asked: { filter, note, retry, content: digestOf(content) } },
      work: async (db) => {
        const made = await this.make(db, id, content, headers, note);
        const retried = retry ? await retryRevised(db, id, made.failed) : 0;
        return { counts: { revision: made.number, retried }, result: undefined };
      },
    });
    if (retry) this.wakeUp.signal();
    const { revision: number = 0, retried = 0 } = done.counts;
    const made = await this.transactions.read((db) => readMade(db, id, number, headers));
    const { id: actionId, correlationId, repeated } = done;
    return { ...made, retried: retried > 0, actionId, correlationId, repeated };
  }

  private async make(
    db: PoolClient,
    id: string,
    content: NewContent,
    { acting }: ActionHeaders,
    note: string | undefined,
  ): Promise<{ number: number; failed: Awaited<ReturnType<typeof reviseDeliveries>>['failed'] }> {
    await lockForRevision(db, id);
    const { number, revised } = await this.basis(db, id, content, { acting });
    await setRevision(db, id, number);
    const { underWay, failed } = await reviseDeliveries(db, id, number);
    if (underWay) throw inProcess();
    await insertRevision(db, { eventId: id, revision: number, ...revised, note: note ?? null, actor: acting.name });
    return { number, failed };
  }

  private async preview(
    db: Db,
    id: string,
    content: NewContent,
    note: string | undefined,
    { acting }: ActionHeaders,
  ): Promise<MadeRevision> {
    const { event, before, number, revised } = await this.basis(db, id, content, { acting });
    const draft = { eventId: id, revision: number, note: note ?? null, actor: acting.name };
    return {
      event,
      before,
      revision: { ...draft, ...revised, createdAt: null, erasedAt: null },
      retried: false,
      actionId: null,
      correlationId: acting.correlationId,
      repeated: false,
    };
  }

  private async basis(
    db: Db,
    id: string,
    content: NewContent,
    { acting }: Pick<ActionHeaders, 'acting'>,
  ): Promise<Basis> {
    const event = await findRevisable(db, id, acting.tenantIds);
    if (!event) throw noSuchEvent();
    const refused = refusedRevision(event);
    if (refused) throw refused;
    const newest = event.revision === null ? undefined : (await listRevisions(db, id)).at(-1);
    const before = newest?.payloadJson ?? event.payloadJson;
    const number = (event.revision ?? 1) + 1;
    return { event, before, number, revised: revisedContent(event, before, content, this.settings) };
  }
}

/** Does what POST /v1/admin/dlq/retry does. Returns 1 if anything is tried again. */
async function retryRevised(
  db: PoolClient,
  id: string,
  failed: Parameters<typeof reopenDeliveries>[1],
): Promise<number> {
  const dispatched = await dispatchDeadLetters(db, [id]);
  const reopened = dispatched.length === 0 && failed.length > 0 ? await reopenDeliveries(db, failed) : [];
  return Math.min(dispatched.length + reopened.length, 1);
}

async function readMade(
  db: Db,
  id: string,
  number: number,
  { acting }: ActionHeaders,
): Promise<Pick<MadeRevision, 'event' | 'before' | 'revision'>> {
  const [event, revisions] = [await findRevisable(db, id, acting.tenantIds), await listRevisions(db, id)];
  const revision = revisions.find((one) => one.revision === number);
  if (!event || !revision) throw noSuchEvent(); // retention has removed it since
  const before = revisions.find((one) => one.revision === number - 1)?.payloadJson ?? event.payloadJson;
  return { event, before, revision };
}

const digestOf = (content: NewContent): string => sha256('patch' in content ? content.patchJson : content.payloadJson);

const noSuchEvent = (): Problem => new Problem('event-not-found', 'No event has this id.');
