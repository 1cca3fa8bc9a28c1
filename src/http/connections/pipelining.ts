import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that run at the same time. */
export const MAX_UNDER_WAY = 16;

type Handler = RequestListener;

/**
 * The pipelined requests of one connection. A request starts when fewer than MAX_UNDER_WAY run and no response of the
 * connection waits to be read. Further requests wait in order, and nothing is read from the socket meanwhile. Node
 * parses everything that it read at once (64 KiB), so the requests that wait are at most those of one such read.
 */
class Pipeline {
  private readonly underWay: ServerResponse[] = [];
  /** Bound to the context in which each arrived, not to that of the response whose end starts it. */
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly socket: Socket,
    private readonly handler: Handler,
  ) {
    socket.on('resume', this.pause); // Node resumes after each parsed request, and when a body is read
    socket.once('close', () => (this.waiting.length = 0));
  }

  add(request: IncomingMessage, response: ServerResponse): void {
    if (this.waiting.length === 0 && this.mayStart()) this.start(request, response);
    else {
      const start = AsyncResource.bind(() => this.start(request, response));
      if (this.waiting.push(start) === 1) process.nextTick(this.pause); // after the present read
    }
  }

  private readonly pause = (): void => {
    if (this.waiting.length > 0) this.socket.pause();
  };

  private mayStart(): boolean {
    if (this.underWay.length >= MAX_UNDER_WAY) return false;
    for (const response of this.underWay) if (response.writableLength > 0) return false;
    return true;
  }

  private start(request: IncomingMessage, response: ServerResponse): void {
    this.underWay.push(response);
    response.on('close', this.ended);
    this.handler(request, response);
  }

  /** One listener for all responses of the connection: a closure for each request costs more than this search. */
  private readonly ended = (): void => {
    for (let i = this.underWay.length - 1; i >= 0; i--) if (this.underWay[i]?.destroyed) this.underWay.splice(i, 1);
    this.startWaiting();
  };

  private startWaiting(): void {
    if (this.waiting.length === 0 || this.socket.destroyed || this.socket.writableEnded) return;
    while (this.waiting.length > 0 && this.mayStart()) this.waiting.shift()?.();
    if (this.waiting.length === 0) this.socket.resume();
  }
}

/** Bounds what the pipelined requests of a connection cost. Requests without pipelining start at once. */
export function boundPipelining(handler: Handler): Handler {
  const pipelines = new WeakMap<Socket, Pipeline>();
  return (request, response) => {
    let pipeline = pipelines.get(request.socket);
    if (!pipeline) {
      pipeline = new Pipeline(request.socket, handler);
      pipelines.set(request.socket, pipeline);
    }
    pipeline.add(request, response);
  };
}
