import { spawn, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';

/** The module under test as `npm run build` makes it: the processes below are plain Node. */
export const BUILT_MODULE = path.resolve(__dirname, '../../dist/src/db/embedded/embedded-postgres.js');

const PROGRAM = `
  const [, built, directory, then] = process.argv;
  require(built).startEmbeddedPostgres(directory).then(async (server) => {
    if (then === 'stop') await server.stop();
    console.log(JSON.stringify({ url: server.url, directory: server.directory }));
    if (then === 'stay') setInterval(() => undefined, 1000);
  }, (error) => { console.error(error); process.exit(1); });`;

/** A process that owns an embedded PostgreSQL. */
export interface Owner {
  child: ChildProcess;
  /** Where the server is; rejects when the process ends without having started it. */
  started: Promise<{ url: string; directory: string }>;
}

/** Starts the server in a process of its own, which then stays, or stops the server and ends. */
export function spawnOwner(directory: string, then: 'stay' | 'stop', ids: { uid?: number; gid?: number } = {}): Owner {
  const child = spawn(process.execPath, ['-e', PROGRAM, BUILT_MODULE, directory, then], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...ids,
  });
  const started = new Promise<{ url: string; directory: string }>((resolve, reject) => {
    let output = '';
    let errors = '';
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    child.stdout.on('data', (text: Buffer) => {
      output += text.toString();
      if (output.endsWith('\n')) resolve(JSON.parse(output) as { url: string; directory: string });
    });
    child.on('exit', (code, signal) => reject(new Error(`the owner ended with ${code ?? signal}: ${errors}`)));
  });
  started.catch(() => undefined); // a test that kills the process early does not ask
  return { child, started };
}
