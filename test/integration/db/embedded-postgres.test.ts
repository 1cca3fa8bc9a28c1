import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/db/embedded/embedded-postgres';
import { eventually } from '../../support/eventually';
import { endProcess } from '../../support/processes/process';
import { BUILT_MODULE, spawnOwner, type Owner } from '../../support/processes/embedded-owner';

jest.setTimeout(120_000);

const isRoot = process.getuid?.() === 0;
/** The account `nobody` when the tests run as root. Undefined otherwise: then the account of the tests. */
const ordinary = isRoot
  ? {
      uid: Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' })),
      gid: Number(execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' })),
    }
  : undefined;

describe('the embedded PostgreSQL', () => {
  let base: string;
  let directory: string;
  let children: ChildProcess[] = [];
  let servers: EmbeddedPostgres[] = [];
  const directories = new Set<string>();

  beforeAll(() => {
    base = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-embedded-'));
    fs.chmodSync(base, 0o755);
    directories.add(base);
    if (!fs.existsSync(BUILT_MODULE)) throw new Error(`${BUILT_MODULE} is missing: run npm run build first`);
  });
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(base, 'data-'));
    fs.chmodSync(directory, 0o755);
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => endProcess(child, 'SIGKILL')));
    children = [];
    await Promise.all(servers.map((server) => server.stop()));
    servers = [];
  });
  afterAll(async () => {
    let left = serverProcesses();
    try {
      await eventually(() => expect((left = serverProcesses())).toEqual([]), 2_000);
    } finally {
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      for (const each of directories) fs.rmSync(each, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    }
  });

  /** Lists the postmasters and initdbs of this file's directories. (Other backends show no path in their command.) */
  function serverProcesses(): { pid: number; command: string }[] {
    const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).trim().split('\n');
    return lines
      .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
      .map((match) => ({ pid: Number(match?.[1]), command: match?.[2] ?? '' }))
      .filter(({ command }) => /\/(postgres|initdb) -D /.test(command))
      .filter(({ command }) => [...directories].some((each) => command.includes(`-D ${each}`)));
  }

  const start = async (where = directory): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres(where);
    servers.push(server);
    directories.add(server.directory);
    return server;
  };

  const startOwner = (where: string, then: 'stay' | 'stop', ids = {}): Owner => {
    const owner = spawnOwner(where, then, ids);
    children.push(owner.child);
    return owner;
  };

  const query = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined); // a server that is killed breaks the connection
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };

  const postmaster = (where: string): number =>
    Number(fs.readFileSync(path.join(where, 'postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  const isRunning = (where: string): boolean =>
    serverProcesses().some(({ command }) => command.includes(`-D ${where}`));
  const kept = (url: string) => query(url, 'select n from kept order by n');
  const KEPT = [{ n: 1 }, { n: 2 }];
  const keepRows = (url: string) => query(url, 'create table kept as select n from generate_series(1, 2) n');

  it('starts in an empty directory, on the loopback address, with a password', async () => {
    const server = await start();
    await expect(query(server.url, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
    await expect(query(server.url, 'show listen_addresses')).resolves.toEqual([{ listen_addresses: '127.0.0.1' }]);
    await expect(query(server.url, 'show fsync')).resolves.toEqual([{ fsync: 'on' }]);
    const wrong = new URL(server.url);
    wrong.password = 'guessed';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    for (const file of ['postgres', 'postgres.password', 'postgres.owner', 'postgres.log']) {
      expect([file, fs.statSync(path.join(server.directory, file)).mode & 0o077]).toEqual([file, 0]);
    }
  });

  it('keeps its data when it is stopped and started', async () => {
    const first = await start();
    await keepRows(first.url);
    await first.stop();
    expect(isRunning(directory)).toBe(false);
    await first.stop(); // a second stop does nothing
    const second = await start();
    await expect(kept(second.url)).resolves.toEqual(KEPT);
  });

  it('is shared by a second start in the same process, whose stop leaves it running', async () => {
    const owner = await start();
    const second = await start();
    expect(second.url).toBe(owner.url);
    await second.stop();
    await expect(query(owner.url, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
    await owner.stop();
    expect(isRunning(directory)).toBe(false);
  });

  it('is shared with the process that owns it, and not stopped while that process lives', async () => {
    const owner = startOwner(directory, 'stay');
    const { url } = await owner.started;
    const pid = postmaster(directory);
    const here = await start();
    expect(here.url).toBe(url);
    await here.stop();
    expect(postmaster(directory)).toBe(pid);
    await expect(query(url, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
    await endProcess(owner.child, 'SIGKILL');
    await (await start()).stop();
    expect(isRunning(directory)).toBe(false);
  });

  it('is adopted with its data after its owner was killed, and then stopped by the new owner', async () => {
    const owner = startOwner(directory, 'stay');
    const { url } = await owner.started;
    await keepRows(url);
    const pid = postmaster(directory);
    await endProcess(owner.child, 'SIGKILL');
    const adopted = await start();
    expect(postmaster(directory)).toBe(pid);
    expect(adopted.url).toBe(url);
    await expect(kept(adopted.url)).resolves.toEqual(KEPT);
    await adopted.stop();
    expect(isRunning(directory)).toBe(false);
  });

  it('is adopted when another process now has the pid of its owner', async () => {
    const owner = startOwner(directory, 'stay');
    await owner.started;
    await endProcess(owner.child, 'SIGKILL');
    fs.writeFileSync(path.join(directory, 'postgres.owner'), `${process.ppid} 1\n`);
    await (await start()).stop();
    expect(isRunning(directory)).toBe(false);
  });

  it('I1: loses no committed data when the postmaster is killed', async () => {
    const first = await start();
    await keepRows(first.url);
    const pid = postmaster(directory);
    process.kill(pid, 'SIGKILL');
    await eventually(() => expect(isRunning(directory)).toBe(false));
    const second = await start();
    expect(postmaster(directory)).not.toBe(pid);
    await expect(kept(second.url)).resolves.toEqual(KEPT);
  });

  it('starts again while a backend of the killed server is still running', async () => {
    const first = await start();
    await keepRows(first.url);
    // A pure computation: the backend notices only at its end that the postmaster is gone.
    const busy = query(first.url, 'select count(*) from generate_series(1, 8000000) n where sqrt(n) < 0').catch(
      () => [],
    );
    await eventually(async () => {
      const active = await query(
        first.url,
        `select 1 from pg_stat_activity where query like '%sqrt%' and state = 'active'`,
      );
      expect(active.length).toBeGreaterThan(1); // the computation and this query
    });
    process.kill(postmaster(directory), 'SIGKILL');
    await eventually(() => expect(isRunning(directory)).toBe(false));
    const second = await start();
    await expect(kept(second.url)).resolves.toEqual(KEPT);
    await busy;
  });

  it('starts although another process has the pid in a stale pid file', async () => {
    const first = await start();
    await keepRows(first.url);
    await first.stop();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)', 'not-postgres'], {
      stdio: 'ignore',
      ...ordinary,
    });
    children.push(other);
    const port = new URL(first.url).port;
    const stale = [other.pid, path.join(directory, 'postgres'), 1, port, '', '127.0.0.1', '1 1', 'ready'];
    const file = path.join(directory, 'postgres/postmaster.pid');
    fs.writeFileSync(file, `${stale.join('\n')}\n`, { mode: 0o600 });
    if (ordinary) fs.chownSync(file, ordinary.uid, ordinary.gid);
    const second = await start();
    await expect(kept(second.url)).resolves.toEqual(KEPT);
  });

  it('starts after a first start that was killed halfway', async () => {
    const owner = startOwner(directory, 'stay');
    await eventually(() => expect(fs.readdirSync(directory).join()).toContain('.new'));
    await endProcess(owner.child, 'SIGKILL');
    const server = await start();
    await expect(query(server.url, 'select 1 as one')).resolves.toEqual([{ one: 1 }]);
  });

  it('runs once when two processes start it in the same empty directory at the same time', async () => {
    const owners = [startOwner(directory, 'stay'), startOwner(directory, 'stay')];
    const [a, b] = await Promise.all(owners.map(({ started }) => started));
    expect(a?.url).toBe(b?.url);
    await keepRows(a?.url as string);
    await expect(kept(b?.url as string)).resolves.toEqual(KEPT);
    await Promise.all(owners.map(({ child }) => endProcess(child, 'SIGKILL')));
    await (await start()).stop();
  });

  it('runs for an ordinary user, in a directory of that user', async () => {
    const own = path.join(directory, 'own');
    fs.mkdirSync(own, { mode: 0o700 });
    if (ordinary) fs.chownSync(own, ordinary.uid, ordinary.gid);
    const owner = startOwner(own, 'stay', ordinary);
    const started = await owner.started;
    expect(started.directory).toBe(own);
    await keepRows(started.url);
    const uid = ordinary?.uid ?? process.getuid?.();
    expect(fs.statSync(path.join(own, 'postgres')).uid).toBe(uid);
    await endProcess(owner.child, 'SIGKILL');
    await startOwner(own, 'stop', ordinary).started; // adopted and stopped by the same user
    expect(isRunning(own)).toBe(false);
    const again = startOwner(own, 'stay', ordinary);
    await expect(kept((await again.started).url)).resolves.toEqual(KEPT);
    await endProcess(again.child, 'SIGKILL');
    await startOwner(own, 'stop', ordinary).started;
  });

  it("runs below a directory that the server's account cannot enter", async () => {
    const closed = path.join(directory, 'closed');
    fs.mkdirSync(closed, { mode: 0o700 });
    const first = await start(path.join(closed, 'data'));
    await keepRows(first.url);
    await first.stop();
    const second = await start(path.join(closed, 'data'));
    expect(second.directory).toBe(first.directory);
    await expect(kept(second.url)).resolves.toEqual(KEPT);
    const other = await start(path.join(closed, 'other')); // another directory is another database
    await expect(query(other.url, `select to_regclass('kept') as kept`)).resolves.toEqual([{ kept: null }]);
  });

  it('is stopped by an owner that exits', async () => {
    const owner = startOwner(directory, 'stop');
    await owner.started;
    await eventually(() => expect(owner.child.exitCode).toBe(0));
    expect(isRunning(directory)).toBe(false);
    expect(fs.existsSync(path.join(directory, 'postgres.owner'))).toBe(false);
  });

  it('names its log file when it does not start', async () => {
    const server = await start();
    await server.stop();
    fs.appendFileSync(path.join(directory, 'postgres/postgresql.conf'), '\nno_such_setting = 1\n');
    await expect(startEmbeddedPostgres(directory)).rejects.toThrow(/postgres\.log[^]*no_such_setting/);
    expect(isRunning(directory)).toBe(false);
  });
});
