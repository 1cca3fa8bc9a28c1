import type { Dispatcher } from 'undici';
import type { AddressGuard } from './address/address-guard';
import { Circuit } from './circuit';
import { openConnections, post, type Answer } from './delivery-client';
import type { SealedDestination } from './destination';
import { InFlight } from './in-flight';
import { Pace } from './pace';
import type { SecretBox } from './secrets/secret-box';
import { WebhookSigner } from './secrets/webhook-signer';

/** The request to a destination: an event or a test. */
export interface WebhookMessage {
  /** The same in all deliveries of an event. */
  id: string;
  body: Buffer;
  correlationId: string;
  traceparent?: string;
}

/** Weight of the latest delivery in the moving average of durations. */
const WEIGHT = 0.1;
/** Allowed header values. A correlation id from a stream record may contain other characters. */
const VISIBLE_ASCII = /^[\x21-\x7e]{1,200}$/;

/** What this process holds for one revision of a destination: connections, signer, circuit and slots. */
export class Line {
  readonly circuit = new Circuit();
  readonly pace = new Pace();
  readonly inFlight: InFlight;
  private readonly connections: Dispatcher;
  private readonly signer: WebhookSigner;
  private averageMs = 50;
  private uses = 0;
  private unused: (() => void) | undefined;

  /** @throws UnopenedSecretError */
  constructor(
    readonly destination: SealedDestination,
    private readonly guard: AddressGuard,
    box: SecretBox,
  ) {
    this.signer = new WebhookSigner(destination, box);
    this.inFlight = new InFlight(destination.maxInFlight);
    this.connections = openConnections(destination, guard);
  }

  async send(message: WebhookMessage, signal: AbortSignal): Promise<Answer> {
    try {
      this.guard.checkLiteral(new URL(this.destination.url));
    } catch (error) {
      return { kind: 'failed', reason: 'ADDRESS_REFUSED', message: error instanceof Error ? error.message : '' };
    }
    const startedMs = Date.now();
    const headers = this.headersOf(message, new Date(startedMs));
    const answer = await post(this.connections, this.destination, { body: message.body, headers }, signal);
    this.averageMs += (Math.max(Date.now() - startedMs, 1) - this.averageMs) * WEIGHT;
    return answer;
  }

  /** Average time between two slots that become free, in ms. */
  get msPerDelivery(): number {
    return this.averageMs / this.destination.maxInFlight;
  }

  /** Runs a delivery that may wait for its turn. The connections stay open until it has ended. */
  async use<T>(delivery: () => Promise<T>): Promise<T> {
    this.uses += 1;
    try {
      return await delivery();
    } finally {
      this.uses -= 1;
      if (this.uses === 0) this.unused?.();
    }
  }

  /** Closes the connections after the deliveries that use the line have ended. */
  async close(): Promise<void> {
    if (this.uses > 0) await new Promise<void>((resolve) => (this.unused = resolve));
    await this.connections.close();
  }

  private headersOf({ id, body, correlationId, traceparent }: WebhookMessage, now: Date): Record<string, string> {
    return {
      'content-type': 'application/json',
      'user-agent': 'StreamForge-Webhooks/1',
      ...this.signer.headers(id, body.toString('utf8'), now),
      ...(VISIBLE_ASCII.test(correlationId) ? { 'x-correlation-id': correlationId } : {}),
      ...(traceparent !== undefined && VISIBLE_ASCII.test(traceparent) ? { traceparent } : {}),
    };
  }
}
