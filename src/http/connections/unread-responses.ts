import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How often in its deadline a connection is looked at. */
const LOOKS = 4;
/** A client that has uploaded this much within the deadline is assumed to read its response afterwards. */
const UPLOADED_BYTES = 65_536;

/** Output counters of Node's socket handle. `writeQueueSize`: bytes that the system has not taken yet. */
interface OutputCounts {
  bytesWritten: number;
  writeQueueSize: number;
}

/** The output of one connection, as it was at a look. */
interface Output {
  /** Bytes that the system had taken. */
  takenBytes: number;
  /** Bytes that the client had sent. */
  readBytes: number;
  sinceMs: number;
}

/**
 * Destroys connections whose client does not read its responses: output is pending and has made no progress for
 * `stallMs`. A slow reader keeps its connection, unless the operating system, which takes up to a megabyte at a time,
 * takes nothing in that time. A client that reads only after its upload also keeps it while we accept the upload. Every
 * connection is checked four times per deadline, so one is destroyed at most a quarter of the deadline late.
 *
 * @param onStalled called for each connection that is destroyed
 */
export function endUnreadResponses(server: Server, stallMs: number, onStalled: () => void): void {
  const outputs = new Map<Socket, Output | undefined>(); // at most MAX_CONNECTIONS
  server.on('connection', (socket: Socket) => {
    outputs.set(socket, undefined);
    socket.once('close', () => outputs.delete(socket));
  });
  const look = (): void => {
    const nowMs = performance.now();
    for (const [socket, before] of outputs) {
      const output = outputAt(socket, before, nowMs);
      outputs.set(socket, output);
      if (!output || nowMs - output.sinceMs < stallMs) continue;
      onStalled();
      socket.destroy();
    }
  };
  const timer = setInterval(look, Math.ceil(stallMs / LOOKS)).unref();
  server.once('close', () => clearInterval(timer));
}

/** Returns undefined for a connection whose client has read everything. */
function outputAt(socket: Socket, before: Output | undefined, nowMs: number): Output | undefined {
  const { _handle: counts } = socket as Socket & { _handle?: OutputCounts | null };
  if (!counts || counts.writeQueueSize === 0) return undefined;
  const takenBytes = counts.bytesWritten - counts.writeQueueSize;
  const readBytes = socket.bytesRead;
  const isStalled = before?.takenBytes === takenBytes && readBytes - before.readBytes < UPLOADED_BYTES;
  return isStalled ? before : { takenBytes, readBytes, sinceMs: nowMs };
}
