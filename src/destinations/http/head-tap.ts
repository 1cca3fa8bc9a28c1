import type { Socket } from 'node:net';
import { findFinalHead } from './response-head';

/** As many bytes as the parser accepts as a head. */
const MOST_HEAD_BYTES = 16_384;
/** Maximum number of bytes of interim responses before the final one. */
const MOST_INTERIM_BYTES = 65_536;
const LEAST_STATUS = 100;

/** The receiver sent something that is no HTTP response. The message is for operators. */
export class InvalidResponseError extends Error {
  override readonly name = 'InvalidResponseError';
  readonly code = 'INVALID_RESPONSE';
}

/**
 * Sees the bytes of a connection before undici's parser. The parser fails at `100 Continue`, so interim responses do not
 * reach it. It also refuses a whole response because of one bad header; the status line is kept for that case.
 */
export class HeadTap {
  private socket: Socket | undefined;
  private phase: 'idle' | 'searching' | 'found' = 'idle';
  private held: Buffer = Buffer.alloc(0);
  private interimBytes = 0;
  private head: Buffer[] = [];
  private headBytes = 0;
  private finalStatus: number | undefined;
  private onStatus: () => void = () => undefined;

  /** Status of the current response, from its status line alone. */
  get status(): number | undefined {
    return this.finalStatus;
  }

  /** The first bytes of the current response as latin1. */
  get text(): string {
    return Buffer.concat(this.head).toString('latin1', 0, MOST_HEAD_BYTES);
  }

  /** Taps a new connection. `push` is how bytes get into a socket's read buffer, for TCP and TLS alike. */
  watch(socket: Socket): void {
    this.socket = socket;
    const push = socket.push.bind(socket);
    socket.push = (bytes: Buffer | null): boolean => {
      const passed = bytes === null ? this.held : this.pass(bytes);
      if (bytes === null) this.held = Buffer.alloc(0);
      const hasRoom = passed.length === 0 || push(passed);
      return bytes === null ? push(null) : hasRoom;
    };
  }

  /** A request is sent. The next bytes are its response. */
  begin(onStatus: () => void): void {
    this.end();
    this.phase = 'searching';
    this.onStatus = onStatus;
  }

  end(): void {
    this.phase = 'idle';
    this.held = Buffer.alloc(0);
    this.interimBytes = 0;
    this.head = [];
    this.headBytes = 0;
    this.finalStatus = undefined;
    this.onStatus = () => undefined;
  }

  /** Whether a part of the request is still unsent. */
  get isSending(): boolean {
    return (this.socket?.writableLength ?? 0) > 0;
  }

  /** Closes the connection. undici's `abort` would open another one at once, for nobody. */
  close(): void {
    this.socket?.destroy();
  }

  private pass(bytes: Buffer): Buffer {
    if (this.phase === 'searching') return this.search(bytes);
    if (this.phase === 'found') this.keep(bytes);
    return bytes;
  }

  private search(bytes: Buffer): Buffer {
    const all = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    const found = findFinalHead(all.toString('latin1', 0, MOST_HEAD_BYTES));
    const rest = found ? all.subarray(found.start) : all;
    this.interimBytes += all.length - rest.length;
    if (this.interimBytes > MOST_INTERIM_BYTES) {
      return this.refuse(`the interim responses (1xx) have more than ${MOST_INTERIM_BYTES} bytes`);
    }
    if (found?.status !== undefined && found.status < LEAST_STATUS) {
      return this.refuse(`the status ${String(found.status).padStart(3, '0')} is not a valid HTTP status`);
    }
    if (found && found.status === undefined && rest.length <= MOST_HEAD_BYTES) {
      this.held = rest;
      return Buffer.alloc(0);
    }
    this.held = Buffer.alloc(0);
    this.phase = 'found';
    this.keep(rest);
    if (found?.status !== undefined) {
      this.finalStatus = found.status;
      this.onStatus();
    }
    return rest;
  }

  /** Closes the connection. The parser would not count interim responses, and would fail in its own way at a status. */
  private refuse(why: string): Buffer {
    this.phase = 'idle';
    this.held = Buffer.alloc(0);
    this.socket?.destroy(new InvalidResponseError(why));
    return this.held;
  }

  private keep(bytes: Buffer): void {
    if (this.headBytes >= MOST_HEAD_BYTES) return;
    this.head.push(bytes);
    this.headBytes += bytes.length;
  }
}
