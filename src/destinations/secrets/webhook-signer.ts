import { Webhook } from 'standardwebhooks';
import type { SealedDestination } from '../destination';
import type { SecretBox } from './secret-box';

/** Signs as Standard Webhooks requires: with every valid secret, so that receivers can change theirs without a gap. */
export class WebhookSigner {
  private readonly current: Webhook;
  private readonly previous: Webhook | undefined;
  private readonly previousUntilMs: number;

  /** @throws UnopenedSecretError */
  constructor({ id, secret, previousSecret, previousSecretUntil }: SealedDestination, box: SecretBox) {
    this.current = new Webhook(box.open(secret, id));
    this.previous = previousSecret ? new Webhook(box.open(previousSecret, id)) : undefined;
    this.previousUntilMs = previousSecretUntil ? Date.parse(previousSecretUntil) : 0;
  }

  /** Returns the three headers. `id` is the same in all deliveries of an event. */
  headers(id: string, body: string, now: Date): Record<string, string> {
    const signatures = [this.current.sign(id, now, body)];
    if (this.previous && now.getTime() < this.previousUntilMs) signatures.push(this.previous.sign(id, now, body));
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signatures.join(' '),
    };
  }
}
