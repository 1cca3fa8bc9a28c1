import { CommanderError } from 'commander';
import type { Surroundings } from './cli';
import { CliError, EXIT, type ExitCode } from './cli-error';
import { programFor } from './program';
import { Output } from './terminal/output';

/** Runs one command line. Returns its exit code. */
export async function runCli(argv: readonly string[], around: Surroundings): Promise<ExitCode> {
  try {
    await programFor(around).parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (around.interrupted.aborted) return EXIT.interrupted;
    // Commander has printed its own sentence, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const failure =
      error instanceof CliError
        ? error
        : new CliError(error instanceof Error ? (error.stack ?? error.message) : String(error), EXIT.failed);
    new Output(around.stdout, around.stderr, around.env, argv.includes('--json')).failure(failure);
    return failure.exitCode;
  }
}
