import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Client, type Pool, type PoolClient } from 'pg';
import { withinDeadline } from '../runtime/deadline';
import { backendsAtRest } from './backends-at-rest.queries';

const LOOK_EVERY_MS = 1_000;
/** Looks in a row before which nothing has arrived, although a statement waits for its answer. */
const SILENT_LOOKS = 3;
const ASK_TIMEOUT_MS = 2_000;

/** What Node's handle of a socket tells of its output. `writeQueueSize`: bytes that the system has not taken yet. */
interface OutputCounts {
  bytesWritten: number;
  writeQueueSize: number;
}

/** What pg knows of a connection and does not declare. */
interface ClientParts {
  connection: { stream: Socket & { _handle?: OutputCounts | null } };
  processID: number | null;
  /** False while a statement waits for its answer. */
  readyForQuery?: boolean | null;
}

interface Connection {
  parts: ClientParts;
  bytesRead: number;
  /** Bytes that the system has taken. A large statement may be on its way for seconds. */
  bytesTaken: number;
  /** Looks in a row since a byte has arrived or was taken. */
  quietLooks: number;
  /** Those of them at which a statement has waited. */
  silentLooks: number;
}

/**
 * Replaces pooled connections that are open but useless: a firewall that has forgotten a connection drops its packets
 * without a word, and each statement would wait for its timeout of half a minute. A statement that has waited for three
 * seconds may also run for long, so PostgreSQL is asked on a new connection: if the backend waits for a statement while
 * its client waits for the answer, both wait for ever. Behind a pooler the backend is not known; then only the timeouts
 * of statements apply. Looks are counted instead of seconds: a process that was stopped itself must not blame its
 * connections.
 */
export class SilentConnections {
  private readonly logger = new Logger('Postgres');
  private readonly connections = new Map<PoolClient, Connection>();
  private timer: NodeJS.Timeout | undefined;
  private asking = false;

  constructor(private readonly pool: Pool) {
    pool.on('connect', (client) => {
      this.connections.set(client, {
        parts: client as unknown as ClientParts,
        bytesRead: -1,
        bytesTaken: -1,
        quietLooks: 0,
        silentLooks: 0,
      });
      this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    });
    pool.on('remove', (client) => this.forget(client));
  }

  private look(): void {
    const suspects: Connection[] = [];
    for (const [client, connection] of this.connections) {
      const { stream } = connection.parts.connection;
      if (stream.destroyed) this.forget(client);
      const bytesTaken = takenOf(stream._handle);
      const isQuiet = connection.bytesRead === stream.bytesRead && connection.bytesTaken === bytesTaken;
      connection.bytesRead = stream.bytesRead;
      connection.bytesTaken = bytesTaken;
      connection.quietLooks = isQuiet ? connection.quietLooks + 1 : 0;
      const isWaiting = connection.parts.readyForQuery === false;
      connection.silentLooks = isQuiet && isWaiting ? connection.silentLooks + 1 : 0;
      if (connection.silentLooks >= SILENT_LOOKS) suspects.push(connection);
    }
    if (suspects.length === 0 || this.asking) return;
    this.asking = true;
    this.replaceUseless(suspects)
      .catch((error: Error) => this.logger.debug(`could not ask about silent connections: ${error.message}`))
      .finally(() => (this.asking = false));
  }

  private async replaceUseless(suspects: readonly Connection[]): Promise<void> {
    const atRest = await this.askFor(suspects);
    const useless = suspects.filter(({ parts: { processID, connection }, bytesRead }) => {
      const isUnchanged = connection.stream.bytesRead === bytesRead; // the answer may have come meanwhile
      return processID !== null && atRest.has(processID) && isUnchanged;
    });
    if (useless.length === 0) return;
    const sinceLooks = Math.max(...useless.map(({ quietLooks }) => quietLooks));
    // Others that have been quiet for as long were probably forgotten as well. Opening a connection takes milliseconds.
    const idle = [...this.connections.values()].filter(
      ({ parts, quietLooks }) => parts.readyForQuery === true && quietLooks >= sinceLooks,
    );
    this.logger.warn(`nothing arrives on ${useless.length} connections any more; they are replaced`);
    for (const { parts } of [...useless, ...idle]) parts.connection.stream.destroy();
  }

  private async askFor(suspects: readonly Connection[]): Promise<Set<number>> {
    const { options } = this.pool;
    const { Client: OwnClient = Client } = options as { Client?: typeof Client }; // with its way to the password
    const client = new OwnClient({
      ...options,
      connectionTimeoutMillis: ASK_TIMEOUT_MS,
      query_timeout: ASK_TIMEOUT_MS,
    });
    client.on('error', (error) => this.logger.debug(`connection lost: ${error.message}`));
    try {
      await client.connect();
      const processIds = suspects.flatMap(({ parts: { processID } }) => (processID === null ? [] : [processID]));
      return new Set(await backendsAtRest(client, processIds));
    } finally {
      // A server that freezes now would keep `end` waiting, and no connection would be replaced meanwhile.
      await withinDeadline(ASK_TIMEOUT_MS, client.end()).catch(() =>
        (client as unknown as ClientParts).connection.stream.destroy(),
      );
    }
  }

  private forget(client: PoolClient): void {
    this.connections.delete(client);
    if (this.connections.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

const takenOf = (counts: OutputCounts | null | undefined): number =>
  counts ? counts.bytesWritten - counts.writeQueueSize : -1;
