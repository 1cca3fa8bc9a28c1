import type { Answer } from '../../../src/destinations/delivery-client';
import type { SealedDestination } from '../../../src/destinations/destination';
import type { DescribedBody } from '../../../src/destinations/render/cloud-event-format';
import type { Connection, DeliveryMessage, Transport } from '../../../src/destinations/transports/transport';

export interface KeptMessage {
  list: string;
  id: string;
  attempt: number;
  body: string;
}

/** A kind of destination that only tests have: `memory://orders` keeps messages in a list. */
export class MemoryTransport implements Transport {
  readonly kept: KeptMessage[] = [];
  answer: (message: DeliveryMessage) => Answer = () => ({ kind: 'answered', status: 200, text: '' });

  open({ url }: SealedDestination): Connection {
    const list = new URL(url).hostname;
    return {
      send: (message: DeliveryMessage, { body }: DescribedBody) => {
        this.kept.push({ list, id: message.id, attempt: message.attempt, body: body.toString() });
        return Promise.resolve(this.answer(message));
      },
      close: () => Promise.resolve(),
    };
  }

  refusalOf({ hostname }: URL): string | undefined {
    return hostname === '' ? 'must name a list' : undefined;
  }
}
