/**
 * npm run bench:mac
 *
 * Measures what the signature of a message and of a cached fact costs, by the size of the body.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { createHmac } from 'node:crypto';
import type * as Signature from '../src/broker/message-signature.js';
import type * as MacModule from '../src/integrity/mac.js';
import { compiled } from '#bench/compiled';

const { Mac } = compiled<typeof MacModule>('integrity/mac');
const { doubtAbout, signedHeaders } = compiled<typeof Signature>('broker/message-signature');

const TIMES = 200_000;
const ROUNDS = 5;
const KEY = Buffer.alloc(32, 'bench');
const mac = new Mac([KEY]);
const HEADERS = {
  'tenant-id': 'tenant-1',
  'event-type': 'order.paid',
  'received-at': '2026-01-31T12:00:00.000Z',
  'size-bytes': 600,
  'correlation-id': '0190a5e0-0000-7000-8000-000000000001',
  'dispatch-no': 1,
  generation: 1,
};

/** The best of several rounds, in µs a call. */
function microseconds(work: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    for (let i = 0; i < TIMES; i++) work();
    best = Math.min(best, ((performance.now() - startedMs) * 1_000) / TIMES);
  }
  return best;
}

for (const bytes of [600, 1_200, 4_096]) {
  const message = {
    queue: 'events.main' as const,
    id: '0190a5e0-0000-7000-8000-000000000000',
    headers: HEADERS,
    body: Buffer.alloc(bytes, 'x'),
  };
  const signed = signedHeaders(message, mac);
  const plain = microseconds(() => signedHeaders(message, undefined));
  const figures = {
    'headers without a signature': plain,
    'signature of the publisher': microseconds(() => signedHeaders(message, mac)) - plain,
    'check of the worker': microseconds(() => doubtAbout(signed, message, mac)),
    'the same by createHmac': microseconds(() =>
      createHmac('sha256', KEY).update(signed).update(message.body).digest('hex').slice(0, 32),
    ),
  };
  process.stdout.write(`body of ${bytes} bytes, in µs\n`);
  for (const [what, us] of Object.entries(figures)) process.stdout.write(`  ${us.toFixed(2).padStart(6)}  ${what}\n`);
}
