import { Command, Option } from 'commander';
import { version } from '../../package.json';
import { usageError } from './cli-error';
import { Cli, type Adding, type GlobalOptions, type Surroundings, type Work } from './cli';
import { addApply } from './commands/apply';
import { addCompletion } from './commands/completion';
import { addDestinations } from './commands/destinations';
import { addDev } from './commands/dev';
import { addDlq } from './commands/dlq';
import { addDoctor } from './commands/doctor';
import { addEvents } from './commands/events';
import { addExport } from './commands/export';
import { addImport } from './commands/import';
import { addKeys } from './commands/keys';
import { addProfiles } from './commands/profiles';
import { addRejections } from './commands/rejections';
import { addReplay } from './commands/replay';
import { addSend } from './commands/send';
import { addSources } from './commands/sources';
import { addTail } from './commands/tail';
import { addVerify } from './commands/verify';

/** The commands in the order of the help. */
const COMMANDS: readonly Adding[] = [
  addDev,
  addSend,
  addTail,
  addEvents,
  addDlq,
  addRejections,
  addReplay,
  addSources,
  addDestinations,
  addKeys,
  addApply,
  addExport,
  addImport,
  addVerify,
  addDoctor,
  addProfiles,
  addCompletion,
];

const AFTER_HELP = `
Environment:
  STREAMFORGE_URL      the installation (default: http://127.0.0.1:3000)
  STREAMFORGE_TOKEN    an operator's token, or ADMIN_TOKEN
  STREAMFORGE_KEY      an API key of the tenant, for send and import
  STREAMFORGE_TENANT   the tenant
  STREAMFORGE_PROFILE  a profile of "streamforge profiles"
  NO_COLOR             no colours

docs/cli.md has the exit codes.`;

/** The whole command line. What it runs talks to `around`. */
export function programFor(around: Surroundings): Command {
  const program = new Command('streamforge')
    .description('Sends events to StreamForge, watches them, and repairs what has failed.')
    .version(version)
    .option('--json', 'print JSON for scripts')
    .option('--profile <name>', 'profile to use')
    .option('--url <url>', 'URL of the installation')
    .option('--tenant <id>', 'tenant')
    .addOption(new Option('--token <token>').hideHelp())
    .addHelpText('after', AFTER_HELP)
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void around.stdout.write(text),
      writeErr: (text) => void around.stderr.write(text),
    })
    .exitOverride();
  for (const add of COMMANDS) add(program, runnerFor(around));
  return program;
}

function runnerFor(around: Surroundings): <O>(work: Work<O>) => (...args: unknown[]) => Promise<void> {
  return (work) =>
    async (...args) => {
      const command = args.at(-1) as Command;
      const options = command.optsWithGlobals<GlobalOptions & { token?: string }>();
      if (options.token !== undefined) {
        throw usageError(
          'The token is not taken from the command line, which other users of the machine can read. Set STREAMFORGE_TOKEN.',
        );
      }
      await work(new Cli(around, options), options as never, command.args);
    };
}
