import { connect, type Socket } from 'node:net';
import { AnswerParser, type Answer } from '#bench/answer-parser';

/** A keep-alive HTTP/1.1 connection with one request in flight. It connects when needed. */
export class Connection {
  private readonly host: string;
  private readonly port: number;
  private socket: Socket | undefined;
  private waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(url: string) {
    const { hostname, port, protocol } = new URL(url);
    if (protocol !== 'http:') throw new Error(`This client supports http: only, not ${url}`);
    this.host = hostname.replace(/^\[|\]$/g, '');
    this.port = Number(port || 80);
  }

  /** Sends a whole request as latin1 text (see `request`). @throws Error if the connection breaks. */
  async send(request: string): Promise<Answer> {
    const socket = this.socket ?? (await this.open());
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      socket.write(request, 'latin1');
    });
  }

  async open(): Promise<Socket> {
    const socket = connect(this.port, this.host);
    socket.setNoDelay(true);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const parser = new AnswerParser();
    socket.on('data', (bytes) => {
      const answer = parser.push(bytes);
      if (!answer) return;
      const { waiting } = this;
      this.waiting = undefined;
      waiting?.resolve(answer);
    });
    socket.on('error', (error) => this.broke(socket, error));
    socket.on('close', () => this.broke(socket, new Error('the server closed the connection')));
    this.socket = socket;
    return socket;
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  private broke(socket: Socket, error: Error): void {
    if (this.socket !== socket) return;
    this.close();
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(error);
  }
}

/** The text of one request. The body must be ASCII, so that its length in characters is its length in bytes. */
export function request(target: string, headers: Record<string, string>, body?: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${target} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}`;
  return body === undefined ? `${head}\r\n` : `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}
