import { createHmac } from 'node:crypto';
import type { SealedDestination } from '../destination';
import type { SecretBox } from './secret-box';

const PREFIX = 'whsec_';

/** Signs as Standard Webhooks requires: with every valid secret, so that receivers can change theirs without a gap. */
export class WebhookSigner {
  private readonly current: Buffer;
  private readonly previous: Buffer | undefined;
  private readonly previousUntilMs: number;

  /** @throws UnopenedSecretError */
  constructor({ id, secret, previousSecret, previousSecretUntil }: SealedDestination, box: SecretBox) {
    this.current = keyOf(box.open(secret, id));
    this.previous = previousSecret ? keyOf(box.open(previousSecret, id)) : undefined;
    this.previousUntilMs = previousSecretUntil ? Date.parse(previousSecretUntil) : 0;
  }

  /** Returns the three headers. `id` is the same in all deliveries of an event. */
  headers(id: string, body: string | Buffer, now: Date): Record<string, string> {
    const seconds = String(Math.floor(now.getTime() / 1000));
    const signed = (key: Buffer): string => signature(key, `${id}.${seconds}.`, body);
    const signatures = [signed(this.current)];
    if (this.previous && now.getTime() < this.previousUntilMs) signatures.push(signed(this.previous));
    return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures.join(' ') };
  }
}

const keyOf = (secret: string): Buffer => Buffer.from(secret.slice(PREFIX.length), 'base64');

/** Signs the bytes of the body, which need not be text. (The library `standardwebhooks` signs only text.) */
function signature(key: Buffer, start: string, body: string | Buffer): string {
  return `v1,${createHmac('sha256', key).update(start).update(body).digest('base64')}`;
}
