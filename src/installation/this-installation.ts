import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { HistoryChanged, knownHistory } from '../db/history/history.queries';
import { onOtherServer } from '../db/other-server';
import { onOneConnection, type Db } from '../db/pool';
import { Installation, InstallationMoved } from '../integrity/installation';
import { readPlace, settleIn } from './installation-home.queries';

/** What was read last. */
interface Known {
  id: string;
  history: string;
}

/**
 * The installation of the database. A dump that is restored elsewhere is recognised: it says where the installation is at
 * home, by the system identifier of the server and the name of the database. It may be a staging, whose events are not for
 * the receivers of production, or the successor of a lost server; only an operator knows (`npm run installation`). A
 * standby that takes over has the same system identifier.
 *
 * What is known holds until a connection of the pool opens or closes, because the URL may lead to another database then,
 * and in one history of the database.
 */
@Injectable()
export class ThisInstallation extends Installation {
  private readonly logger = new Logger('Installation');
  private readonly listeners: (() => void)[] = [];
  private known: Known | undefined;
  private reading: Promise<Known> | undefined;
  private objection: string | undefined;
  /** Rises whenever the pool may lead elsewhere. */
  private servers = 0;

  constructor(private readonly pool: Pool) {
    super();
    onOtherServer(pool, () => {
      this.servers += 1;
      this.known = undefined;
      this.reading = undefined; // whoever asks from now on does not share it
    });
  }

  async require(): Promise<string> {
    return (await this.read()).id;
  }

  unconfirmed(history?: string): Promise<unknown> | undefined {
    if (this.known && (history === undefined || history === this.known.history)) return undefined;
    return this.confirm(history);
  }

  onMoved(listener: () => void): void {
    this.listeners.push(listener);
  }

  private async confirm(history?: string): Promise<void> {
    const known = await this.read();
    if (history !== undefined && history !== known.history) throw new HistoryChanged();
  }

  private read(): Promise<Known> {
    if (this.reading) return this.reading;
    const reading = onOneConnection(this.pool, (db) => {
      this.reading = reading; // the connection may have been opened for it
      return this.readOn(db);
    }).finally(() => {
      if (this.reading === reading) this.reading = undefined;
    });
    this.reading = reading;
    return reading;
  }

  private async readOn(db: Db): Promise<Known> {
    const { servers } = this;
    try {
      const { id, home, here, history } = await readPlace(db);
      const known = { id, history: knownHistory(history) };
      if (home === null) await settleIn(db, here);
      else if (home !== here) throw this.moved(home, here);
      if (this.servers === servers) this.known = known;
      this.objection = undefined;
      return known;
    } catch (error) {
      this.known = undefined;
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
