import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

export const THIS_RELEASE = path.resolve(__dirname, '../../..');
/** A built checkout of the previous release. Until there is one, this build plays both parts. */
export const PREVIOUS_RELEASE = process.env.PREVIOUS_RELEASE_DIR ?? THIS_RELEASE;

/** Runs `npm run migrate` of a release. */
export function migrateBy(root: string, databaseUrl: string): string {
  return execFileSync(process.execPath, [path.join(root, 'dist/src/commands/migrate.js')], {
    cwd: root,
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
    encoding: 'utf8',
  });
}
