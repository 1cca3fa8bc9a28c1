import type { DispatchedEvent } from '../../src/event/dispatched-event';
import type {
  ExternalCall,
  ExternalHandler,
  HandlerResult,
  TransactionalCall,
  TransactionalHandler,
  UnfinishedResult,
} from '../../src/worker/handler';

type Results = void | ReadonlyMap<string, UnfinishedResult>;

/** Creates a transactional handler that runs `handle`. */
export function transactional(
  name: string,
  eventTypes: readonly string[],
  handle: (events: readonly DispatchedEvent[], call: TransactionalCall) => Promise<Results>,
  timeoutMs?: number,
): TransactionalHandler {
  return { kind: 'transactional', name, eventTypes, handle, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

/** Returns a `handle` that inserts a row (handler, event id, generation) into the table `effects` for each event. */
export const recordingEffects =
  (name: string) =>
  async (events: readonly DispatchedEvent[], { db }: TransactionalCall): Promise<void> => {
    for (const { id, generation } of events)
      await db.query('insert into effects values ($1, $2, $3)', [name, id, generation]);
  };

/** Creates an external handler that runs `handle`. */
export function external(
  name: string,
  eventTypes: readonly string[],
  handle: (event: DispatchedEvent, call: ExternalCall) => Promise<HandlerResult>,
  { timeoutMs = 5_000, ...more }: Partial<Pick<ExternalHandler, 'timeoutMs' | 'select' | 'ordering' | 'onPoison'>> = {},
): ExternalHandler {
  return { kind: 'external', name, eventTypes, timeoutMs, handle, ...more };
}

export const DONE: HandlerResult = { kind: 'done' };
