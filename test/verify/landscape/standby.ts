import { TcpProxy } from '../../support/broker/tcp-proxy';
import { eventually } from '../../support/eventually';
import { detachStandby, OwnServer, promote, rowsOf } from '../../support/processes/e2e-own-servers';

const FOLLOWS_WITHIN_MS = 60_000;

/** A standby that follows PostgreSQL by asynchronous streaming replication, and can take its place. */
export class Standby {
  private address: TcpProxy | undefined;

  private constructor(
    private readonly primary: OwnServer,
    private readonly server: OwnServer,
  ) {}

  static async of(primary: OwnServer): Promise<Standby> {
    return new Standby(primary, await OwnServer.standbyOf(primary));
  }

  /** Waits until it has everything that the primary has written. Then it follows it no longer. */
  async detach(): Promise<void> {
    const [written] = await rowsOf<{ lsn: string }>(
      this.primary.url,
      'select pg_current_wal_insert_lsn()::text as lsn',
    );
    await eventually(async () => {
      const [replayed] = await rowsOf<{ isAll: boolean }>(
        this.server.url,
        'select pg_last_wal_replay_lsn() >= $1::pg_lsn as "isAll"',
        [written?.lsn],
      );
      if (!replayed?.isAll) throw new Error('the standby is behind its primary');
    }, FOLLOWS_WITHIN_MS);
    await detachStandby(this.server.url);
  }

  /** The primary is killed, and the standby becomes the server at its address. It is not restarted for that. */
  async takeOver(): Promise<void> {
    await this.primary.kill();
    await promote(this.server.url);
    this.address = await TcpProxy.to(this.server.url, Number(new URL(this.primary.url).port));
  }

  async stop(): Promise<void> {
    await this.address?.cut();
    await this.server.stop();
  }
}
