/** How long the end of the process waits for what may still keep the event loop busy. */
const LINGER_MS = 500;

/**
 * Ends the process as soon as its event loop has nothing left to do, at the latest after half a second. process.exit
 * alone may wait for ever in Node 24: it waits for a thread that compiles, and this thread may wait for a garbage
 * collection of the main thread.
 */
export function endProcess(code: number): void {
  process.exitCode = code;
  setTimeout(() => process.exit(code), LINGER_MS).unref();
}
