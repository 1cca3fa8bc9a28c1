import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Client, type Pool } from 'pg';
import { createPool } from '../../src/db/pool';
import { migrate } from '../../src/db/migrations/migrate';
import { createSource } from '../rejections-proof/source';
import { ADMIN_TOKEN } from '../support/app';
import { call } from '../support/e2e-http';
import { freePort } from '../support/processes/free-port';
import { RoleProcess } from '../support/processes/role-process';
import { startPostgres, type TestServer } from '../support/processes/servers';
import { givenDestination } from '../support/receivers/destinations';
import type { StoredIds } from './pages';
import { logStatements, StatementLog } from './statements';

const SQL = fs.readFileSync(path.join(__dirname, 'stored.sql'), 'utf8');
const GROUPS = 300;
const REJECTION_GROUPS = 100;
/** One of them is paused. */
const DESTINATIONS = 41;
const SOURCES = 12;
const REQUESTS = 50;
const ACTIONS = 10_000;

/** A PostgreSQL of its own that is full of events, with an api, and with workers once they are started. */
export class FilledInstallation {
  readonly crashes: string[] = [];
  private readonly processes: RoleProcess[] = [];
  private stopped: Promise<void> | undefined;

  private constructor(
    private readonly directory: string,
    private readonly server: TestServer,
    private readonly databaseUrl: string,
    private readonly pool: Pool,
  ) {}

  /**
   * @param events a tenth of them are dead letters
   * @param leaving stops everything, whatever is under way
   */
  static async start(events: number, say: (line: string) => void, leaving?: AbortSignal): Promise<FilledInstallation> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-console-proof-'));
    fs.chmodSync(directory, 0o755); // as root, PostgreSQL runs as another user
    const server = await startPostgres(directory);
    const url = server.env.TEST_DATABASE_URL as string;
    const pool = createPool(url, 'console proof');
    const installation = new FilledInstallation(directory, server, url, pool);
    leaving?.addEventListener('abort', () => void installation.stop());
    try {
      await migrate(url);
      await logStatements(pool);
      await installation.startProcess('api');
      await installation.fill(events, say);
      return installation;
    } catch (error) {
      await installation.stop();
      throw error;
    }
  }

  get url(): string {
    return (this.processes[0] as RoleProcess).url;
  }

  /** The log of PostgreSQL from now on. */
  log(): StatementLog {
    return new StatementLog(path.join(this.directory, 'postgres.log'));
  }

  async startProcess(role: string): Promise<void> {
    const env = { APP_ROLE: role, DATABASE_URL: this.databaseUrl, DESTINATIONS_ALLOW_PRIVATE: 'true' };
    const onCrash = (name: string, output: string): void => void this.crashes.push(`${name}: ${output}`);
    const started = new RoleProcess(`${role}-1`, await freePort(), env, onCrash);
    process.once('exit', () => void (started.pid !== undefined && process.kill(started.pid, 'SIGKILL')));
    this.processes.push(started);
    await started.startAgain();
  }

  /** What the addresses of the pages name. */
  async ids(): Promise<StoredIds> {
    interface Group {
      id: string;
      destinationId: string | null;
      sampleEventIds: string[];
    }
    const { reasons } = await this.admin<{ reasons: Group[] }>('dlq/reasons?limit=500');
    const ofDelivery = found(reasons.find(({ destinationId }) => destinationId !== null));
    const ofHandlers = found(reasons.find(({ destinationId }) => destinationId === null));
    const { events } = await this.admin<{ events: { id: string }[] }>('events?status=COMPLETED&limit=1');
    const { destinations } = await this.admin<{ destinations: { id: string; status: string }[] }>('destinations');
    const { sources } = await this.admin<{ sources: { id: string }[] }>('sources');
    const { replays } = await this.admin<{ replays: { replayId: string }[] }>('replays');
    const rejected = await this.admin<{ reasons: { id: string; sampleIds: string[] }[] }>('rejections/reasons');
    const rejections = found(rejected.reasons[0]);
    return {
      ...{ eventId: found(events[0]).id, deadEventId: found(ofDelivery.sampleEventIds[0]) },
      ...{ group: ofDelivery.id, groupOfHandlers: ofHandlers.id },
      destinationId: found(ofDelivery.destinationId),
      pausedDestinationId: found(destinations.find(({ status }) => status === 'paused')).id,
      ...{ sourceId: found(sources[0]).id, replayId: found(replays[0]).replayId },
      ...{ rejectionGroup: rejections.id, rejectionId: found(rejections.sampleIds[0]) },
    };
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  private async stopAll(): Promise<void> {
    await Promise.all(this.processes.map((running) => running.kill()));
    await this.pool.end();
    await this.server.stop();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  private async fill(events: number, say: (line: string) => void): Promise<void> {
    const startedMs = performance.now();
    const destinationIds = await this.makeDestinations();
    const sourceId = await this.makeSources();
    const db = new Client({ connectionString: this.databaseUrl }); // the statements of a pool end after half a minute
    await db.connect();
    try {
      await db.query('begin');
      await db.query('set local log_min_duration_statement = -1');
      await db.query(SQL);
      await db.query('select pg_temp.store_events($1, $2, $3)', [events, GROUPS, destinationIds]);
      await db.query('select pg_temp.store_rejections($1, $2, $3)', [events / 20, REJECTION_GROUPS, sourceId]);
      await db.query('select pg_temp.store_health($1)', [destinationIds]);
      await db.query('select pg_temp.store_actions($1)', [ACTIONS]);
      await db.query('select pg_temp.store_access()');
      await db.query('select pg_temp.store_metrics()');
      await db.query('commit');
      await db.query('vacuum analyze');
      await db.query('checkpoint');
    } finally {
      await db.end();
    }
    say(`stored ${events} events in ${Math.round((performance.now() - startedMs) / 1_000)} s`);
  }

  /** The first is paused. */
  private async makeDestinations(): Promise<string[]> {
    const made = await Promise.all(
      Array.from({ length: DESTINATIONS }, (_, n) =>
        givenDestination(this.url, {
          ...{ tenantId: `tenant-${n % 20}`, url: `http://127.0.0.1:9/hooks/${n}`, eventTypes: ['*'] },
        }),
      ),
    );
    const ids = made.map(({ id }) => id);
    await this.admin(`destinations/${ids[0]}/pause`, {});
    return ids;
  }

  /** Returns the id of the newest, which has had some requests. */
  private async makeSources(): Promise<string> {
    let address = '';
    for (let n = 0; n < SOURCES; n++) address = await createSource(this.url, `tenant-${n}`);
    for (let n = 0; n < REQUESTS; n++) {
      const body = JSON.stringify({ ...(n % 5 > 0 && { type: 'order.paid' }), subject: `order-${n}`, payload: { n } });
      await call(`${this.url}${address}`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
      });
    }
    const { sources } = await this.admin<{ sources: { id: string }[] }>('sources');
    return found(sources[0]).id;
  }

  private async admin<T>(resource: string, body?: object): Promise<T> {
    const answer = await call<T>(`${this.url}/v1/admin/${resource}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 300) throw new Error(`${resource}: ${answer.status} ${answer.text}`);
    return answer.body;
  }
}

function found<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('the database lacks what a page shows');
  return value;
}
