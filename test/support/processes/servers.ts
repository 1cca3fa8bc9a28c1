import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { eventually } from '../eventually';
import { freePort } from './free-port';
import { ProcessTree, type Killable } from './process-tree';

/** A private server for this test run, from Debian's packages. */
export interface TestServer {
  env: Record<string, string>;
  stop(): Promise<void>;
}

export const NOT_INSTALLED = 'is not installed. Run `npm run test:setup`, or give a server by';
export const isRoot = process.getuid?.() === 0;

export function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function find(pattern: RegExp, root: string, below: string, what: string, variable: string): string {
  const versions = fs.existsSync(root) ? fs.readdirSync(root).filter((name) => pattern.test(name)) : [];
  const newest = versions.sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).at(-1);
  if (!newest) throw new Error(`${what} ${NOT_INSTALLED} ${variable}.`);
  return path.join(root, newest, below);
}

export function start(command: string, args: string[], options: SpawnOptions, logFile: string): ChildProcess {
  const log = fs.openSync(logFile, 'a');
  const child = spawn(command, args, { ...options, stdio: ['ignore', log, log] });
  fs.closeSync(log);
  return child;
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(killer);
}

/** The directory of PostgreSQL's programs, such as pg_dump. */
export const postgresBinaries = (): string =>
  find(/^\d+$/, '/usr/lib/postgresql', 'bin', 'PostgreSQL', 'TEST_DATABASE_URL');

/** The account under which PostgreSQL runs, which is not root. Empty: that of this process. */
export const postgresAccount = (): { uid?: number; gid?: number } => (isRoot ? idsOf('postgres') : {});

/** Makes a directory of the account of PostgreSQL, with its data below it. */
export function postgresHome(directory: string): { home: string; data: string } {
  const home = path.join(directory, 'postgres');
  fs.mkdirSync(home, { recursive: true });
  const { uid, gid } = postgresAccount();
  if (uid !== undefined && gid !== undefined) fs.chownSync(home, uid, gid);
  return { home, data: path.join(home, 'data') };
}

/** @param copyOf the URL of a primary: the server is its standby then */
export async function startPostgres(directory: string, copyOf?: string): Promise<TestServer> {
  const { home, data } = postgresHome(directory);
  const create: [string, ...string[]] = copyOf
    ? ['pg_basebackup', '-D', data, '-d', copyOf, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
    : ['initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const [program, ...options] = create;
  execFileSync(path.join(postgresBinaries(), program), options, { ...postgresAccount(), cwd: home, stdio: 'pipe' });
  return startPostgresOn(directory);
}

/** Starts PostgreSQL on data that is there. */
export async function startPostgresOn(directory: string): Promise<TestServer> {
  const binaries = postgresBinaries();
  const { home, data } = postgresHome(directory);
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '300',
    fsync: 'off', // tests kill processes, not machines
    full_page_writes: 'off',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = path.join(directory, 'postgres.log');
  const child = start(path.join(binaries, 'postgres'), ['-D', data, ...args], { ...postgresAccount(), cwd: home }, log);
  const pgIsReady = path.join(binaries, 'pg_isready');
  await eventually(() => execFileSync(pgIsReady, ['-h', '127.0.0.1', '-p', String(port)], { stdio: 'pipe' }), 30_000);
  return {
    env: { TEST_DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres` },
    stop: () => end(child, 'SIGQUIT'),
  };
}

export async function startRedis(directory: string): Promise<TestServer> {
  const binary = '/usr/bin/redis-server';
  if (!fs.existsSync(binary)) throw new Error(`Redis ${NOT_INSTALLED} TEST_REDIS_URL.`);
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory];
  const child = start(binary, args, {}, path.join(directory, 'redis.log'));
  return { env: { TEST_REDIS_URL: `redis://127.0.0.1:${port}` }, stop: () => end(child, 'SIGTERM') };
}

export interface RabbitMqServer extends TestServer, Killable {
  /** The directory that holds its messages. */
  dataDirectory: string;
  /** Runs rabbitmqctl against it. */
  control(...args: string[]): void;
}

/** Erlang starts slowly on an overloaded machine. */
const START_WITHIN_MS = 180_000;

/** @param config more lines for rabbitmq.conf */
export async function startRabbitMq(directory: string, config = ''): Promise<RabbitMqServer> {
  const root = '/usr/lib/rabbitmq/lib';
  const sbin = find(
    /^rabbitmq_server-/,
    root,
    'sbin',
    'RabbitMQ',
    'TEST_RABBITMQ_URL and TEST_RABBITMQ_MANAGEMENT_URL',
  );
  const home = path.join(directory, 'rabbitmq');
  fs.mkdirSync(home, { recursive: true });
  const [port, distPort, epmdPort, managementPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const file = (name: string, text: string): string => {
    fs.writeFileSync(path.join(home, name), text);
    return path.join(home, name);
  };
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: home,
    RABBITMQ_NODENAME: `streamforge-test-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: path.join(home, 'data'),
    RABBITMQ_LOG_BASE: path.join(home, 'log'),
    RABBITMQ_PID_FILE: path.join(home, 'pid'),
    RABBITMQ_CONFIG_FILE: file(
      'rabbitmq.conf',
      `management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${managementPort}\ncollect_statistics_interval = 1000\n${config}`,
    ),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', '[rabbitmq_management].\n'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-setcookie streamforge +S 2:2',
  };
  // epmd is started here because one that Erlang starts becomes a daemon and outlives the tests.
  const epmd = start(
    'epmd',
    ['-port', String(epmdPort), '-address', '127.0.0.1'],
    { env },
    path.join(home, 'epmd.log'),
  );
  const launch = () => start(path.join(sbin, 'rabbitmq-server'), [], { env }, path.join(home, 'server.log'));
  let server = launch();
  const processes = () => new ProcessTree(server.pid as number);
  const management = `http://guest:guest@127.0.0.1:${managementPort}`;
  const stop = async (): Promise<void> => {
    await end(server, 'SIGTERM');
    await end(epmd, 'SIGTERM');
  };
  const isUp = (withinMs: number): Promise<void> =>
    eventually(async () => {
      const { origin, username, password } = new URL(management);
      const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
      const response = await fetch(`${origin}/api/overview`, { headers });
      if (!response.ok) throw new Error(`RabbitMQ answers ${response.status}`);
    }, withinMs);
  try {
    await isUp(START_WITHIN_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    env: {
      TEST_RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${port}`,
      TEST_RABBITMQ_MANAGEMENT_URL: management,
    },
    stop,
    dataDirectory: env.RABBITMQ_MNESIA_BASE as string,
    freeze: () => processes().freeze(),
    thaw: () => processes().thaw(),
    kill: () => processes().kill(),
    startAgain: async () => {
      server = launch();
      await isUp(START_WITHIN_MS);
    },
    control: (...args) => {
      const controlEnv = { ...env, RABBITMQ_CTL_ERL_ARGS: '-setcookie streamforge' };
      execFileSync(path.join(sbin, 'rabbitmqctl'), args, { env: controlEnv, stdio: 'pipe' });
    },
  };
}
