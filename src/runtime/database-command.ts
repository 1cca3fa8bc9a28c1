import type { Settings } from '../config/settings';
import { runCommand, type Command, type CommandOptions, type OptionValues } from './command';
import { loadSettings } from './load-settings';
import { openDatabase } from './open-database';

export interface DatabaseCommand<T extends CommandOptions> extends Command<T> {
  /** Settings that this command fixes. */
  settings?: Partial<Record<keyof Settings, string>>;
}

/** Any role's database will do, and so will production settings without the secrets that only a running process needs. */
const FIXED = { NODE_ENV: 'development', APP_ROLE: 'all' } as const;

/** Runs a command that works on the database, which is open until the work ends. */
export function runDatabaseCommand<T extends CommandOptions>(
  command: DatabaseCommand<T>,
  work: (values: OptionValues<T>, databaseUrl: string, settings: Settings) => Promise<void>,
): void {
  runCommand(command, async (values) => {
    const settings = loadSettings({ ...FIXED, ...command.settings });
    const database = await openDatabase(settings);
    try {
      await work(values, database.url, settings);
    } finally {
      await database.stop();
    }
  });
}
