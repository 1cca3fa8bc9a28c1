/** A promise took longer than its deadline. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

interface DeadlineOptions {
  /** Makes the error; a DeadlineExceeded by default. */
  late?: () => Error;
  /** The timer does not keep the process running. For deadlines that may outlive the caller's interest in the work. */
  unref?: boolean;
}

/**
 * Resolves or rejects as `work` does, but rejects after `ms` milliseconds at the latest. `work` is not cancelled; its
 * later result or error is ignored.
 * @throws DeadlineExceeded, or what `late` makes
 */
export async function withinDeadline<T>(
  ms: number,
  work: Promise<T>,
  { late = () => new DeadlineExceeded(`no result within ${ms} ms`), unref = false }: DeadlineOptions = {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
    if (unref) timer.unref();
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
