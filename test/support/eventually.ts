import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats `check` until it stops throwing; then returns its value. Throws its last error after `timeoutMs`: patience with a
 * busy machine. A test of something that is promised soon says how soon.
 */
export async function eventually<T>(check: () => Promise<T> | T, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(25);
    }
  }
}
