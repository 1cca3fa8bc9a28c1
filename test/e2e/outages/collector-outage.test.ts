import { createServer, type Server, type Socket } from 'node:net';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { getEvent, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import { OtlpCollector } from '../../support/receivers/otlp-collector';
import { startProcess, type TestProcess } from '../../support/processes/process';

const EVENTS = 20;
/** The flush waits 1 s for the collector; the exporter itself would wait 10 s. */
const SHUTDOWN_WITHIN_MS = 7_000;

/** Takes connections and never answers: worse than one that is not there. */
async function listenSilently(port: number): Promise<{ connections: () => number; stop: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { connections: () => sockets.size, stop };
}

describe('an outage of the OTLP collector', () => {
  let database: TestDatabase;
  let running: TestProcess;
  let port: number;
  beforeEach(async () => {
    [database, port] = await Promise.all([createTestDatabase(), freePort()]);
    running = await startProcess({ DATABASE_URL: database.url, ...OtlpCollector.envOf(port) });
  });
  afterEach(async () => {
    await running.end('SIGKILL');
    await database.drop();
  });

  const sendAll = async (): Promise<string[]> => {
    const answers = Array.from({ length: EVENTS }, () =>
      postEvent(running.url, 'acme', JSON.stringify(eventBody()), {}),
    );
    const ids: string[] = [];
    for (const { status, body } of await Promise.all(answers)) {
      expect(status).toBe(202);
      ids.push(body.id);
    }
    return ids;
  };
  const allComplete = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      await eventually(async () => expect((await getEvent(running.url, 'acme', id)).body.status).toBe('COMPLETED'));
    }
  };

  it('does not delay events, and later spans arrive when the collector is back', async () => {
    await allComplete(await sendAll());
    const collector = await OtlpCollector.start(port);
    try {
      await eventually(async () => {
        const [id] = await sendAll();
        const ids = () => collector.spans.map(({ attributes }) => attributes['messaging.message.id']);
        await eventually(() => expect(ids()).toContain(id), 2_000);
      });
    } finally {
      await collector.close();
    }
  });

  it('does not delay events or the shutdown when the collector hangs', async () => {
    const collector = await listenSilently(port);
    try {
      await allComplete(await sendAll());
      await eventually(() => expect(collector.connections()).toBeGreaterThan(0), 30_000);
      const startedMs = performance.now();
      await expect(running.end('SIGTERM')).resolves.toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(SHUTDOWN_WITHIN_MS);
    } finally {
      await collector.stop();
    }
  });
});
