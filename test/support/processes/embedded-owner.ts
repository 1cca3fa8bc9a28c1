import { spawn, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';

/** The build of the module under test, because the processes below run plain Node.js. */
export const BUILT_MODULE = path.resolve(__dirname, '../../../dist/src/db/embedded/embedded-postgres.js');

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
  /** Resolves with the address of the server. Rejects when the process ends before the server is up. */
  started: Promise<{ url: string; directory: string }>;
}

/** Starts the server in a separate process, which then stays or stops the server and exits. */
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
  started.catch(() => undefined); // a test that kills the process early does not await it
  return { child, started };
}
