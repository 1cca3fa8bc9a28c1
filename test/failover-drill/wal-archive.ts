import * as fs from 'node:fs';
import * as path from 'node:path';
import { eventually } from '../support/eventually';
import { createDirectory, OwnServer, rowsOf } from '../support/processes/e2e-own-servers';
import { postgresAccount, postgresHome } from '../support/processes/servers';
import { runCommandsOfPage } from './commands-of-page';

const SLOWLY_MS = 120_000;

/** A WAL archive and a base backup, which are made and used with the commands of docs/failover.md. */
export class WalArchive {
  private readonly directory = createDirectory();
  private readonly home: string;
  private readonly variables: Record<string, string>;

  constructor(private readonly primary: string) {
    const { home, data } = postgresHome(this.directory);
    this.home = home;
    this.variables = { PRIMARY: primary, ARCHIVE: path.join(home, 'archive'), BACKUP: data };
  }

  /** Takes effect when the primary is restarted. */
  async configure(): Promise<void> {
    const { uid, gid } = postgresAccount();
    const archive = this.variables.ARCHIVE as string;
    fs.mkdirSync(archive);
    if (uid !== undefined && gid !== undefined) fs.chownSync(archive, uid, gid);
    await this.run('set archive_command');
  }

  async backUp(): Promise<void> {
    await this.run('pg_basebackup -d "$PRIMARY"');
  }

  /** Until everything that is committed so far is in the archive. */
  async complete(): Promise<void> {
    const [current] = await rowsOf<{ file: string }>(
      this.primary,
      'select pg_walfile_name(pg_current_wal_insert_lsn()) as file',
    );
    await rowsOf(this.primary, 'select pg_switch_wal()');
    await eventually(async () => {
      const [row] = await rowsOf<{ last: string | null }>(
        this.primary,
        'select last_archived_wal as last from pg_stat_archiver',
      );
      if ((row?.last ?? '') < (current?.file as string)) throw new Error(`${current?.file} is not archived yet`);
    }, SLOWLY_MS);
  }

  /** Starts a server on the base backup that has recovered everything up to a time, and nothing after it. */
  async recover(target: string): Promise<OwnServer> {
    await this.run('recovery.signal', { TARGET: target });
    const server = await OwnServer.postgresOn(this.directory);
    await eventually(async () => {
      const [row] = await rowsOf<{ recovers: boolean }>(server.url, 'select pg_is_in_recovery() as recovers');
      if (row?.recovers !== false) throw new Error('PostgreSQL still recovers');
    }, SLOWLY_MS);
    return server;
  }

  private async run(containing: string, more: Record<string, string> = {}): Promise<void> {
    await runCommandsOfPage(containing, { cwd: this.home, ...this.variables, ...more }, postgresAccount());
  }
}
