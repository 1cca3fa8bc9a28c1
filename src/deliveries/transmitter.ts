import { Injectable, Logger } from '@nestjs/common';
import type { LeasedDelivery } from '../delivery-state/claim-deliveries.queries';
import type { Answer } from '../destinations/delivery-client';
import type { SealedDestination } from '../destinations/destination';
import type { Line, NotRendered } from '../destinations/line';
import { Senders } from '../destinations/senders';
import type { DeliveryMessage } from '../destinations/transports/transport';
import { spanOfCall } from '../observability/spans';
import { webhookIdOf } from '../revisions/revised-event';
import { classifyAnswer, withoutStatus, type ClassifiedAnswer } from './decide/classify-answer';

/** Wait of a delivery that our own proxy has held up. Up to twice as long, so that not all come back at once. */
const HELD_BY_PROXY_SECONDS = 5;

/** How an attempt ended; `held` if it was not one. */
export type Transmission = ClassifiedAnswer | { kind: 'held'; waitSeconds: number };

/** Sends deliveries. Holds the connections and signers of all destinations that this process sends to. */
@Injectable()
export class Transmitter {
  private readonly logger = new Logger('Deliveries');
  /** By destination. `keepOnly` drops those that are gone. */
  private readonly senders = new Map<string, { revision: number; sender: Promise<Line> }>();

  constructor(private readonly source: Senders) {}

  /** Whatever is sent now would be held. */
  get isCutOff(): boolean {
    return this.source.isCutOff;
  }

  /**
   * Never throws.
   *
   * @param isCurrent whether the request may start, asked right before it does
   */
  async send(
    destination: SealedDestination,
    delivery: LeasedDelivery,
    isCurrent: () => boolean,
    signal: AbortSignal,
  ): Promise<Transmission> {
    try {
      const sender = await this.senderOf(destination);
      const answer = await spanOfCall(delivery.event, 'destinations', (event) => {
        const { id, revision, body, correlationId, traceparent } = event;
        const trace = traceparent === undefined ? {} : { traceparent };
        const message = {
          id: webhookIdOf(id, revision),
          body,
          attempt: delivery.attempts + 1,
          correlationId,
          ...trace,
        };
        return sender.use(() => sendWhile(isCurrent, sender, message, signal));
      });
      if (answer.kind === 'held') return { kind: 'held', waitSeconds: answer.afterMs / 1_000 };
      const isHeld = answer.kind === 'failed' && answer.isOfProxy;
      if (isHeld) return { kind: 'held', waitSeconds: HELD_BY_PROXY_SECONDS * (1 + Math.random()) };
      return classifyAnswer(answer);
    } catch (error) {
      return withoutStatus('HANDLER_ERROR', error instanceof Error ? error.message : String(error));
    }
  }

  /** Closes the connections to destinations that are gone, once their last request has ended. */
  keepOnly(remaining: ReadonlyMap<string, unknown>): void {
    for (const [id, { sender }] of this.senders) {
      if (remaining.has(id)) continue;
      this.senders.delete(id);
      this.close(sender);
    }
  }

  private senderOf(destination: SealedDestination): Promise<Line> {
    const known = this.senders.get(destination.id);
    if (known && known.revision >= destination.revision) return known.sender;
    const sender = this.source.open(destination);
    this.senders.set(destination.id, { revision: destination.revision, sender });
    sender.catch(() => this.senders.delete(destination.id)); // the next delivery tries again
    if (known) this.close(known.sender);
    return sender;
  }

  private close(sender: Promise<Line>): void {
    sender
      .then((opened) => opened.close())
      .catch((error: unknown) =>
        this.logger.debug({ msg: 'could not close the connections of a destination', err: error }),
      );
  }
}

async function sendWhile(
  isCurrent: () => boolean,
  sender: Line,
  message: DeliveryMessage,
  signal: AbortSignal,
): Promise<Answer | Pick<NotRendered, 'kind' | 'afterMs'>> {
  const rendered = await sender.render(message.body);
  if (rendered.kind !== 'rendered') return rendered;
  if (!isCurrent()) return { kind: 'held', afterMs: 0 }; // another claim finds out what has changed
  return sender.sendRendered(message, rendered, signal);
}
