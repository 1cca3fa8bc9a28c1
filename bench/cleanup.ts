type Step = () => Promise<unknown> | void;

/**
 * Runs a command and then its cleanup steps in reverse order, also after Ctrl-C: an embedded PostgreSQL is a separate process
 * and would keep running. The exit code is what `work` returns, or 1 if it throws.
 */
export async function command(work: (atEnd: (step: Step) => void) => Promise<number>): Promise<void> {
  const steps: Step[] = [];
  const cleanUp = async (): Promise<void> => {
    for (let step = steps.pop(); step; step = steps.pop()) await step();
  };
  const interrupted = (): void => void cleanUp().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    process.exitCode = await work((step) => steps.push(step));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    await cleanUp();
  }
}
