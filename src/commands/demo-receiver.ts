import '../runtime/require-node';
/**
 * npm run demo:receiver [-- --port 4000 --secret whsec_… --fail --status 503 --times 3]
 *
 * An endpoint for a destination to point at: verifies signatures, prints every delivery, and fails when told to.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const USAGE = `Usage: npm run demo:receiver -- [options]
  --port <n>       to listen on, 127.0.0.1 only (4000)
  --secret <text>  whsec_… of the destination; without it signatures are not verified
  --fail           answer with a failure instead of 200
  --status <n>     with which one (500)
  --times <n>      only so many times, then 200
`;
const MOST_BODY_BYTES = 20_000_000;

interface Options {
  port: number;
  webhook: Webhook | undefined;
  failure: number;
  /** How many failures are still to come. */
  failing: number;
}

function main(): void {
  const options = readOptions();
  if (!options) {
    process.stderr.write(USAGE);
    process.exit(1);
  }
  const server = createServer((request, response) => void receive(request, response, options));
  server.on('error', (error: NodeJS.ErrnoException) => {
    const taken = error.code === 'EADDRINUSE';
    process.stderr.write(taken ? `Port ${options.port} is taken; choose another with --port.\n` : `${error.message}\n`);
    process.exit(1);
  });
  server.listen(options.port, '127.0.0.1', () => {
    const { port } = server.address() as { port: number };
    const how = options.failing > 0 ? `answers ${options.failure}` : 'answers 200';
    const verifies = options.webhook ? 'verifies signatures' : 'does not verify signatures (no --secret)';
    process.stdout.write(`Receiver at http://127.0.0.1:${port}/  ${how}, ${verifies}\n`);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '4000' },
        secret: { type: 'string' },
        fail: { type: 'boolean', default: false },
        status: { type: 'string', default: '500' },
        times: { type: 'string', default: 'Infinity' },
      },
    });
    const [port, failure, times] = [Number(values.port), Number(values.status), Number(values.times)];
    if (!(port >= 0 && port < 65_536 && failure >= 200 && failure < 600 && times > 0)) return undefined;
    const webhook = values.secret === undefined ? undefined : new Webhook(values.secret);
    return { port, webhook, failure, failing: values.fail ? times : 0 };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

async function receive(request: IncomingMessage, response: ServerResponse, options: Options): Promise<void> {
  const body = await readBody(request);
  const verdict = verify(request, body, options.webhook);
  const status = verdict === 'BAD SIGNATURE' ? 401 : options.failing > 0 ? options.failure : 200;
  if (status === options.failure && options.failing > 0) options.failing -= 1;
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(status === 200 ? 'thanks\n' : 'the demo receiver was told to fail\n');
  const at = new Date().toISOString().slice(11, 23);
  process.stdout.write(`${at}  ${describe(body)}  ${verdict}  → ${status}\n`);
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

function verify({ headers }: IncomingMessage, body: string, webhook: Webhook | undefined): string {
  if (!webhook) return 'not verified';
  try {
    webhook.verify(body, headers as Record<string, string>);
    return 'signature ok';
  } catch (error) {
    if (error instanceof WebhookVerificationError || error instanceof SyntaxError) return 'BAD SIGNATURE';
    throw error;
  }
}

function describe(body: string): string {
  try {
    const { type, subject, id } = JSON.parse(body) as Record<string, unknown>;
    return `${String(type)}  ${String(subject)}  ${String(id)}`;
  } catch {
    return `${body.length} characters that are not JSON`;
  }
}

main();
