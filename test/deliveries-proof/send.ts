import { postStream } from '../support/e2e-http';

/** Events of one request. */
const CHUNK = 200;
const TYPE = 'order.paid';

/** Sends events of a tenant with the numbers from `from` up to `to`. @throws unless each is accepted */
export async function send(url: string, tenant: string, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += CHUNK) {
    const count = Math.min(CHUNK, to - first);
    const lines = Array.from({ length: count }, (_, i) => eventLine(first + i)).join('');
    const { status, body, text } = await postStream(url, tenant, lines);
    if (status !== 202 || body.summary.accepted !== count) throw new Error(`not accepted: ${status} ${text}`);
  }
}

const eventLine = (n: number): string =>
  `${JSON.stringify({ eventType: TYPE, subject: `order-${n}`, payload: { number: n, total: 59.94, currency: 'EUR' } })}\n`;
