import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebhookVerificationError, type Webhook } from 'standardwebhooks';
import { say } from '../../runtime/command';

const MOST_BODY_BYTES = 20_000_000;

export interface ReceiverOptions {
  /** 0 picks a free port. */
  port: number;
  /** Undefined: signatures are not verified. */
  webhook: Webhook | undefined;
  failureStatus: number;
  failuresLeft: number;
}

/** Receives until SIGINT or SIGTERM. Rejects when it cannot listen. */
export function startReceiver(options: ReceiverOptions): Promise<void> {
  const server = createServer((request, response) => void receive(request, response, options));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
  return new Promise((_resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(isTaken ? new Error(`Port ${options.port} is in use. Choose another one with --port.`) : error);
    });
    server.listen(options.port, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const responds = `responds with ${options.failuresLeft > 0 ? options.failureStatus : 200}`;
      const verifies = options.webhook ? 'verifies signatures' : 'does not verify signatures (no --secret)';
      say(`Receiver at http://127.0.0.1:${port}/  ${responds}, ${verifies}`);
    });
  });
}

async function receive(request: IncomingMessage, response: ServerResponse, options: ReceiverOptions): Promise<void> {
  const body = await readBody(request);
  const signature = checkSignature(request, body, options.webhook);
  const status = nextStatus(signature, options);
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(status === 200 ? 'thanks\n' : 'the demo receiver was told to fail\n');
  const at = new Date().toISOString().slice(11, 23);
  say(`${at}  ${summaryOf(body)}  ${signature}  → ${status}`);
}

/** Uses up one of the requested failures. */
function nextStatus(signature: string, options: ReceiverOptions): number {
  if (signature === 'BAD SIGNATURE') return 401;
  if (options.failuresLeft === 0) return 200;
  options.failuresLeft -= 1;
  return options.failureStatus;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MOST_BODY_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function checkSignature({ headers }: IncomingMessage, body: string, webhook: Webhook | undefined): string {
  if (!webhook) return 'not verified';
  try {
    webhook.verify(body, headers as Record<string, string>);
    return 'signature ok';
  } catch (error) {
    if (error instanceof WebhookVerificationError || error instanceof SyntaxError) return 'BAD SIGNATURE';
    throw error;
  }
}

function summaryOf(body: string): string {
  try {
    const { type, subject, id } = JSON.parse(body) as Record<string, unknown>;
    return `${String(type)}  ${String(subject)}  ${String(id)}`;
  } catch {
    return `${body.length} characters that are not JSON`;
  }
}
