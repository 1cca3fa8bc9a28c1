import { closePool } from '../../db/close-pool';
import { createPool, inTransaction } from '../../db/pool';
import { becomeNew, moveHome, pauseAllDestinations, readPlace } from '../../installation/installation-home.queries';
import { say } from '../../runtime/command';

/**
 * Shows or changes what the database is, and prints it. Sets the exit code to 1 if it is shown and is not at home. Running
 * processes notice the change within seconds.
 */
export async function changeInstallation(
  databaseUrl: string,
  change: 'show' | 'confirm' | 'new',
  keepDestinations: boolean,
): Promise<void> {
  const pool = createPool(databaseUrl, 'streamforge installation');
  try {
    const before = await readPlace(pool);
    if (change === 'confirm') {
      await moveHome(pool, before.here);
      say(
        `Installation ${before.id} is at home in ${before.here} now. The database in ${placeOf(before.home)} must not`,
      );
      say('run any more: both would publish to the same broker and deliver to the same destinations.');
    } else if (change === 'new') {
      const paused = await inTransaction(pool, async (db) => {
        await becomeNew(db, before.here);
        return keepDestinations ? 0 : pauseAllDestinations(db);
      });
      const { id } = await readPlace(pool);
      say(`The database in ${before.here} is installation ${id} now. It was a copy of ${before.id}.`);
      say(
        'Give it a RabbitMQ virtual host of its own, or set BROKER_NAMESPACE. If INSTALLATION_KEY is set, change it.',
      );
      say(`${paused} destinations were paused: they are those of the other installation. Resume or delete each.`);
      say('The API keys and the URLs of sources of the other installation work here, too: revoke what should not.');
    } else {
      const isHome = before.home === null || before.home === before.here;
      say(`Installation ${before.id}, at home in ${placeOf(before.home)}, is now in ${before.here}.`);
      if (isHome) return;
      say('It was restored or moved. Run this command with --confirm or with --new; --help explains them.');
      process.exitCode = 1;
    }
  } finally {
    await closePool(pool);
  }
}

const placeOf = (home: string | null): string => home ?? 'no place yet';
