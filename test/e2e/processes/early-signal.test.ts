import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { endProcess, spawnProcess } from '../../support/processes/process';

describe('SIGTERM during the start', () => {
  it('I15: ends a process that still waits for its database within the grace period', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined)); // takes connections and says nothing
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const { child, output } = spawnProcess({
      APP_ROLE: 'api',
      DATABASE_URL: `postgres://x@127.0.0.1:${port}/x`,
      SHUTDOWN_GRACE_MS: '300',
    });
    try {
      await once(silent, 'connection');
      expect(await endProcess(child, 'SIGTERM')).toBe(1); // by itself: a signal that nobody handles would give null
      expect(output()).toContain('not done within SHUTDOWN_GRACE_MS');
    } finally {
      child.kill('SIGKILL');
      silent.close();
    }
  });
});
