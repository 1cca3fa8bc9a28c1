/** The exit codes of `streamforge`. docs/cli.md lists them, and a test compares the two. */
export const EXIT = {
  /** Done. */
  done: 0,
  /** Failed in a way that has no code of its own, or a check found something wrong. */
  failed: 1,
  /** The command line or the input is invalid. Nothing was sent. */
  usage: 2,
  /** The server refused the request. The same request fails again. */
  refused: 3,
  /** There is no token, or it does not permit this. */
  denied: 4,
  /** What the command names does not exist. */
  notFound: 5,
  /** The server cannot be reached or is busy. The same command may succeed later. */
  unavailable: 6,
  /** Some records were rejected; the others were stored. */
  partly: 7,
  /** `apply --check` found differences. */
  differs: 8,
  /** Ctrl C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a script can read of a failure. */
export interface FailureFacts {
  status?: number;
  code?: string;
  retryable?: boolean;
  correlationId?: string;
}

/** A failure that the user is told in one sentence. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: ExitCode,
    readonly facts: FailureFacts = {},
  ) {
    super(message);
  }
}

/** An invalid command line or input. */
export const usageError = (message: string): CliError => new CliError(message, EXIT.usage);
