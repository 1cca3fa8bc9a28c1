import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { isUsualOfCleaning } from '../../../support/processes/e2e-own-servers';
import { postgresBinaries } from '../../../support/processes/servers';
import type { Landscape } from '../../landscape/landscape';
import { ofTheRun } from '../../run/inconclusive';
import { cutConnections } from '../database';
import type { Return } from './going-back';

const run = promisify(execFile);

/**
 * A dump of now is restored over the database, under open connections. All sessions are ended first, as an operator does,
 * because a frozen worker may hold locks.
 * @throws Inconclusive
 */
export async function prepareRestore({ databaseUrl }: Landscape): Promise<Return> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-dump-'));
  const file = path.join(directory, 'dump');
  const program = (name: string): string => path.join(postgresBinaries(), name);
  await ofTheRun('the dump fails', () => run(program('pg_dump'), ['-Fc', '-f', file, databaseUrl]));
  const restore = async (): Promise<void> => {
    await cutConnections(databaseUrl);
    try {
      await run(program('pg_restore'), ['--clean', '-d', databaseUrl, file]);
    } catch (error) {
      if (!isUsualOfCleaning(error)) throw error;
    }
    fs.rmSync(directory, { recursive: true });
  };
  return { goBack: () => ofTheRun('the dump is not restored', restore) };
}
