import type { Settings } from '../config/settings';
import { runCommand, type Command, type CommandOptions, type OptionValues } from './command';
import { loadSettings } from './load-settings';
import { openDatabase } from './open-database';

export interface DatabaseCommand<T extends CommandOptions> extends Command<T> {
  /** Settings that this command overrides. */
  settings?: Partial<Record<keyof Settings, string>>;
}

/** So that a command needs no settings that only a running process needs, such as the secrets of production. */
const FIXED = { NODE_ENV: 'development', APP_ROLE: 'all' } as const;

/** Runs a command with an open database, and closes the database when the work ends. */
export function runDatabaseCommand<T extends CommandOptions>(
  command: DatabaseCommand<T>,
  work: (values: OptionValues<T>, databaseUrl: string, settings: Settings, operands: string[]) => Promise<void>,
): void {
  runCommand(command, async (values, operands) => {
    const settings = loadSettings({ ...FIXED, ...command.settings });
    const database = await openDatabase(settings);
    try {
      await work(values, database.url, settings, operands);
    } finally {
      await database.stop();
    }
  });
}
