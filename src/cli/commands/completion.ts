import { Argument, type Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { completionScript, SHELLS, type Shell } from '../input/completion-script';

export const addCompletion: Adding = (program: Command, run) => {
  program
    .command('completion')
    .description('print the script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  source <(streamforge completion bash)
  streamforge completion zsh > ~/.zfunc/_streamforge
  streamforge completion fish > ~/.config/fish/completions/streamforge.fish`,
    )
    .action(
      run(async (cli: Cli, _options: unknown, [shell]: string[]) => {
        cli.out.line(completionScript(shell as Shell, wordsOf(program)));
      }),
    );
};

/** Command path → what may follow it. */
function wordsOf(command: Command, path: string[] = []): Map<string, string[]> {
  const options = [...command.options, ...globalOptions(command)].filter(({ hidden }) => !hidden);
  const words = [...command.commands.map((one) => one.name()), ...options.map(({ long }) => long ?? ''), '--help'];
  const own: [string, string[]] = [path.join(' '), [...new Set(words.filter((word) => word !== ''))]];
  return new Map([own, ...command.commands.flatMap((one) => [...wordsOf(one, [...path, one.name()])])]);
}

function globalOptions(command: Command): readonly { long?: string | undefined; hidden: boolean }[] {
  return command.parent === null ? [] : [...command.parent.options, ...globalOptions(command.parent)];
}
