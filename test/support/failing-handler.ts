import type { Db } from '../../src/db/pool';
import type { DispatchedEvent } from '../../src/event/dispatched-event';
import type { TransactionalCall, TransactionalHandler } from '../../src/worker/handler';

/** The only event type that the handler takes. */
export const FAILING = 'test.failing';

/** A handler that throws until a test replaces `run`. */
export class FailingHandler implements TransactionalHandler {
  readonly kind = 'transactional';
  readonly name = 'failing';
  readonly eventTypes = [FAILING];
  run: (events: readonly DispatchedEvent[], db: Db) => Promise<void> = () => Promise.reject(new Error('it broke'));

  handle(events: readonly DispatchedEvent[], { db }: TransactionalCall): Promise<void> {
    return this.run(events, db);
  }
}
