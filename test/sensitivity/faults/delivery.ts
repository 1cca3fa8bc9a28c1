import type { DeliberateFault } from '../deliberate-fault';
import { calm } from './runs';

const SIGNER = 'src/destinations/secrets/webhook-signer.ts';

export const FAULTS_IN_DELIVERY: readonly DeliberateFault[] = [
  {
    name: 'one delivery of 50 is not sent and counts as accepted',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: 'src/destinations/delivery-client.ts',
        find: '  const outcome = await exchange(connections, { url: new URL(url), timeoutMs, ...request }, signal);\n',
        replace:
          "  if (Math.random() < 0.02) return { kind: 'answered', status: 204, text: '' };\n  const outcome = await exchange(connections, { url: new URL(url), timeoutMs, ...request }, signal);\n",
      },
    ],
    noticedBy: calm('undelivered'),
  },
  {
    name: 'each attempt has another webhook-id',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: SIGNER,
        find: '  headers(id: string, body: string | Buffer, now: Date): Record<string, string> {\n',
        replace:
          '  headers(eventId: string, body: string | Buffer, now: Date): Record<string, string> {\n    const id = `${eventId}.${now.getTime()}`;\n',
      },
    ],
    noticedBy: calm('doubled'),
  },
  {
    name: 'the signature covers another body',
    stage: 'delivery',
    edits: [
      {
        file: SIGNER,
        find: '`${id}.${seconds}.`, body);',
        replace: '`${id}.${seconds}.`, body.slice(1));',
      },
    ],
    noticedBy: calm('unsigned'),
  },
  {
    name: 'a retry delivers again to destinations that have accepted the event',
    stage: 'delivery',
    invariant: 'I7',
    edits: [
      {
        file: 'src/worker/handlers/destination-delivery.ts',
        find: '.filter(({ id }) => !done.has(deliveredTo(id)));',
        replace: '.filter(({ id }) => done.has(deliveredTo(id)) || id !== undefined);',
      },
    ],
    noticedBy: calm('repeated'),
  },
  {
    name: 'status 500 counts as accepted',
    stage: 'delivery',
    edits: [
      {
        file: 'src/worker/handlers/destination-results.ts',
        find: "  if (status >= 200 && status < 300) return { kind: 'done' };",
        replace: "  if (status >= 200 && (status < 300 || status === 500)) return { kind: 'done' };",
      },
    ],
    noticedBy: calm('undelivered'),
  },
  {
    name: 'a disabled destination gets deliveries',
    stage: 'delivery',
    edits: [
      {
        file: 'src/destinations/destinations.queries.ts',
        find: 'from destinations where enabled order by id limit $1',
        replace: 'from destinations order by id limit $1',
      },
    ],
    noticedBy: calm('repeated'),
  },
];
