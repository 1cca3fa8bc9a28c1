import type { Answer } from '../delivery-client';
import type { SealedDestination } from '../destination';
import type { DescribedBody } from '../render/cloud-event-format';
import type { Connection, DeliveryMessage, Transport } from './transport';

const MOST_SHOWN = 100;

/**
 * A receiver that needs no network, for trying StreamForge out (`npm run seed`). `demo://accounting` takes every event
 * except those whose payload has an `amount` that is not a number, which it refuses with 422.
 * `demo://accounting?status=404` responds with 404 to the others, as a receiver does that is not there yet. It keeps nothing.
 */
export class DemoTransport implements Transport {
  open(destination: SealedDestination): Connection {
    const url = new URL(destination.url);
    return {
      send: (_message: DeliveryMessage, { body }: DescribedBody) => Promise.resolve(answerTo(url, body.toString())),
      close: () => Promise.resolve(),
    };
  }

  refusalOf({ hostname, searchParams }: URL, isProduction: boolean): string | undefined {
    if (isProduction) return 'must not be of demo:, which is for trying StreamForge out, in production';
    if (hostname === '') return 'must name a receiver, such as demo://accounting';
    const status = searchParams.get('status');
    if (status === null || /^[2-5]\d\d$/.test(status)) return undefined;
    return `must have a status from 200 to 599, not ${status}`;
  }
}

function answerTo({ hostname, searchParams }: URL, body: string): Answer {
  const amount = amountIn(body);
  if (amount !== undefined && typeof amount !== 'number') {
    return answered(422, `payload.amount must be a number, not ${JSON.stringify(amount).slice(0, MOST_SHOWN)}`);
  }
  const status = Number(searchParams.get('status') ?? 200);
  if (status < 300) return answered(status, '');
  return answered(
    status,
    `the demo receiver ${hostname} responds so to everything while its URL says status=${status}`,
  );
}

const answered = (status: number, text: string): Answer => ({ kind: 'answered', status, text });

/** Undefined also when a transform has made something else of the event. */
function amountIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { payload?: { amount?: unknown } | null } | null)?.payload?.amount;
  } catch {
    return undefined; // no JSON
  }
}
