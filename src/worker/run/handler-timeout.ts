import { withinDeadline } from '../../runtime/deadline';

/** A handler took longer than its `timeoutMs`. */
export class HandlerTimeout extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Waits for a handler's `work`. After `timeoutMs` it aborts the signal and rejects with HandlerTimeout. Work that
 * ignores the signal continues, and its result is dropped.
 */
export function withinTimeout<T>(timeoutMs: number, aborter: AbortController, work: Promise<T>): Promise<T> {
  return withinDeadline(timeoutMs, work, {
    late: () => {
      const timeout = new HandlerTimeout(`no result within ${timeoutMs} ms`);
      aborter.abort(timeout);
      return timeout;
    },
  });
}
