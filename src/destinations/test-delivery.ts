import type { Answer } from './delivery-client';
import type { Line, NotRendered } from './line';
import type { DescribedBody } from './render/cloud-event-format';
import type { DeliveryMessage } from './transports/transport';

/** How a test ended, and what was sent, if anything was. */
export interface TestedDelivery {
  answer: Answer | NotRendered;
  sent: DescribedBody | undefined;
}

/** Sends one message over a line of its own, and closes the line. */
export async function testDelivery(line: Line, message: DeliveryMessage): Promise<TestedDelivery> {
  try {
    const rendered = await line.render(message.body);
    if (rendered.kind !== 'rendered') return { answer: rendered, sent: undefined };
    return { answer: await line.sendRendered(message, rendered, new AbortController().signal), sent: rendered };
  } finally {
    void line.close();
  }
}
