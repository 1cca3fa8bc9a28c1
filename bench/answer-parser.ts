export interface Answer {
  status: number;
  body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

/**
 * Parses the responses of a connection with one request in flight. It reads only the status, Content-Length and chunked
 * bodies: a client with node:http would cost as much CPU as the measured server.
 */
export class AnswerParser {
  private rest: Buffer = Buffer.alloc(0);
  private status = 0;
  /** Undefined until the head is complete, and for a chunked body. */
  private length: number | undefined;
  private chunks: Buffer[] | undefined;

  /** Returns the response if these bytes complete it. */
  push(bytes: Buffer): Answer | undefined {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    while (this.status === 0) {
      if (!this.readHead()) return undefined;
    }
    return this.chunks ? this.readChunks(this.chunks) : this.readPlain(this.length ?? 0);
  }

  private readHead(): boolean {
    const end = this.rest.indexOf(HEAD_END);
    if (end === -1) return false;
    const head = this.rest.toString('latin1', 0, end);
    this.rest = this.rest.subarray(end + HEAD_END.length);
    const status = Number(head.slice(9, 12));
    if (status < 200) return true; // 100 Continue: the response follows
    this.status = status;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    this.length = length ? Number(length[1]) : undefined;
    this.chunks = this.length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head) ? [] : undefined;
    return true;
  }

  private readPlain(length: number): Answer | undefined {
    return this.rest.length < length ? undefined : this.complete(this.rest.subarray(0, length), length);
  }

  /** A chunk is a size line, bytes and a line end. A size of 0 and an empty line end the body; trailers are not expected. */
  private readChunks(chunks: Buffer[]): Answer | undefined {
    for (;;) {
      const lineEnd = this.rest.indexOf(LINE_END);
      if (lineEnd === -1) return undefined;
      const start = lineEnd + LINE_END.length;
      const size = parseInt(this.rest.toString('latin1', 0, lineEnd), 16);
      if (this.rest.length < start + size + LINE_END.length) return undefined;
      if (size === 0) return this.complete(Buffer.concat(chunks), start + LINE_END.length);
      chunks.push(this.rest.subarray(start, start + size));
      this.rest = this.rest.subarray(start + size + LINE_END.length);
    }
  }

  private complete(body: Buffer, used: number): Answer {
    const answer = { status: this.status, body };
    this.rest = this.rest.subarray(used);
    this.status = 0;
    return answer;
  }
}
