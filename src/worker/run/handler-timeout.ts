import { withinDeadline } from '../../runtime/deadline';

/** A handler took longer than its `timeoutMs`. */
export class HandlerTimeout extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * The result of a handler's `work`, or HandlerTimeout after `timeoutMs`, with the signal aborted. Work that ignores the
 * signal goes on, and its result is ignored.
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
