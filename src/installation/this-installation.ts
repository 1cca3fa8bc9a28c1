import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { Installation, InstallationMoved } from '../integrity/installation';
import { readPlace, settleIn } from './installation-home.queries';

/**
 * The installation of the database. A dump that is restored elsewhere is recognised: it says where the installation is at
 * home, by the system identifier of the server and the name of the database. It may be a staging, whose events are not for
 * the receivers of production, or the successor of a lost server; only an operator knows (`npm run installation`). A
 * standby that takes over has the same system identifier.
 *
 * What is known holds until a connection of the pool closes: the URL may lead to another database then.
 */
@Injectable()
export class ThisInstallation extends Installation {
  private readonly logger = new Logger('Installation');
  private readonly listeners: (() => void)[] = [];
  private fresh = false;
  private reading: Promise<string> | undefined;
  private objection: string | undefined;

  constructor(private readonly pool: Pool) {
    super();
    pool.on('remove', () => (this.fresh = false));
  }

  require(): Promise<string> {
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    return this.reading;
  }

  unconfirmed(): Promise<unknown> | undefined {
    return this.fresh ? undefined : this.require();
  }

  onMoved(listener: () => void): void {
    this.listeners.push(listener);
  }

  private async read(): Promise<string> {
    this.fresh = true; // before the read: a connection that is lost meanwhile sets it back
    try {
      const { id, home, here } = await readPlace(this.pool);
      if (home === null) await settleIn(this.pool, here);
      else if (home !== here) throw this.moved(home, here);
      this.objection = undefined;
      return id;
    } catch (error) {
      this.fresh = false;
      throw error;
    }
  }

  private moved(home: string, here: string): InstallationMoved {
    const text =
      'This database is a copy of that of another installation, or was moved to another server or name. Nothing is ' +
      'published, consumed or delivered until you run "npm run installation -- --confirm" if it takes the place of the ' +
      'other one, which must be stopped, or "npm run installation -- --new" if both are to run.';
    if (this.objection === undefined) this.logger.error({ msg: text, home, here });
    this.objection = text;
    for (const listener of this.listeners) listener();
    return new InstallationMoved(text);
  }
}
