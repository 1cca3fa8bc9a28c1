import { parseArgs, type ParseArgsOptionDescriptor } from 'node:util';
import { endProcess } from './end-process';
import { explainStartFailure } from './start-failure';

/** An option of parseArgs, with its text in the usage. */
export interface CommandOption extends ParseArgsOptionDescriptor {
  /** Placeholder of the value in the usage, such as `<n>`. */
  value?: string;
  does: string;
}
export type CommandOptions = Record<string, CommandOption>;
export type OptionValues<T extends CommandOptions> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

export interface Command<T extends CommandOptions> {
  /** What the user types, such as `npm run migrate`. */
  name: string;
  summary: string;
  /** What the user types before the options, such as `create|list`. Undefined: nothing. */
  operands?: string;
  options: T;
}

/** An invalid command line. Ends the command with the usage and exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const HELP: CommandOption = { type: 'boolean', does: 'print this text' };

/** Prints one line of a command's output. */
export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Runs the entry of a process. `--help` prints the usage. If `work` throws, one sentence explains the error; the exit code
 * is 2 if the command line is invalid, and 1 otherwise.
 */
export function runCommand<T extends CommandOptions>(
  command: Command<T>,
  work: (values: OptionValues<T>, operands: string[]) => void | Promise<void>,
): void {
  const run = async (): Promise<void> => {
    const line = readCommandLine(command);
    if (line === 'help') process.stdout.write(usageOf(command));
    else await work(line.values, line.operands);
  };
  run().catch((error: unknown) => {
    const isUsage = error instanceof UsageError;
    process.stderr.write(isUsage ? `${error.message}\n\n${usageOf(command)}` : `${explainStartFailure(error)}\n`);
    endProcess(isUsage ? 2 : 1);
  });
}

function readCommandLine<T extends CommandOptions>({
  options,
  operands,
}: Command<T>): { values: OptionValues<T>; operands: string[] } | 'help' {
  try {
    const { values, positionals } = parseArgs<{ options: CommandOptions; allowPositionals: boolean }>({
      options: { ...options, help: HELP },
      allowPositionals: operands !== undefined,
    });
    return values.help ? 'help' : { values: values as OptionValues<T>, operands: positionals };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message); // parseArgs has no other failure
    throw error;
  }
}

export function usageOf({ name, summary, operands, options }: Command<CommandOptions>): string {
  const rows = Object.entries({ ...options, help: HELP }).map(([option, { value, does, default: preset }]) => ({
    left: `--${option}${value === undefined ? '' : ` ${value}`}`,
    right: `${does}${typeof preset === 'string' ? ` (default: ${preset})` : ''}`,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  const lines = rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`);
  const line = [
    name,
    ...(name.startsWith('npm ') ? ['--'] : []),
    ...(operands === undefined ? [] : [operands]),
    '[options]',
  ];
  return `Usage: ${line.join(' ')}\n\n${summary}\n\nOptions:\n${lines.join('\n')}\n`;
}
