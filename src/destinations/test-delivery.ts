import type { Answer } from './delivery-client';
import type { Line, NotRendered } from './line';
import type { DescribedBody } from './render/cloud-event-format';
import type { DeliveryMessage } from './transports/transport';

/** How a test ended, and what was sent, if anything was. In a dry run: what would be sent, and no answer. */
export interface TestedDelivery {
  answer: Answer | NotRendered | undefined;
  sent: DescribedBody | undefined;
}

/** Sends one message over a line of its own, and closes the line. A dry run only makes the body. */
export async function testDelivery(line: Line, message: DeliveryMessage, dryRun: boolean): Promise<TestedDelivery> {
  try {
    const rendered = await line.render(message.body);
    if (rendered.kind !== 'rendered') return { answer: rendered, sent: undefined };
    if (dryRun) return { answer: undefined, sent: rendered };
    return { answer: await line.sendRendered(message, rendered, new AbortController().signal), sent: rendered };
  } finally {
    void line.close();
  }
}
