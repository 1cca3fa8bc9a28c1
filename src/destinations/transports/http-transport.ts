import type { AddressGuard } from '../address/address-guard';
import { Credentials } from '../auth/credentials';
import { withRoutingKey } from '../auth/routing-key';
import { openConnections, post, type Answer } from '../delivery-client';
import type { SealedDestination } from '../destination';
import { FreshConnections } from '../http/fresh-connections';
import type { DescribedBody } from '../render/cloud-event-format';
import type { StaticHeaders } from '../render/static-headers';
import { echoesOf, withoutEchoes } from '../secrets/echoes';
import { openAuth, openHeaders } from '../secrets/sealed-options';
import { WebhookSigner } from '../secrets/webhook-signer';
import type { Connection, DeliveryMessage, Transport, TransportParts } from './transport';
import { timeOfDay } from '../../event/time-of-day';

const UNAUTHORIZED = 401;
/** The connection leads to a server that does not serve this host. Another connection may lead to one that does. */
const MISDIRECTED = 421;
const AGENT = { 'user-agent': 'StreamForge-Webhooks/1' };
/** Allowed header values. A correlation id from a stream record may contain other characters. */
const VISIBLE_ASCII = /^[\x21-\x7e]{1,200}$/;

/** Sends signed HTTP requests. */
export class HttpTransport implements Transport {
  open(destination: SealedDestination, parts: TransportParts): Connection {
    return new HttpConnection(destination, parts);
  }
}

class HttpConnection implements Connection {
  private readonly connections: FreshConnections;
  private readonly guard: AddressGuard;
  private readonly signer: WebhookSigner;
  private readonly staticHeaders: StaticHeaders;
  private readonly credentials: Credentials;
  /** What answers may repeat, for the credentials that were sent last. */
  private echoes: { ofAuth: StaticHeaders; texts: readonly string[] } | undefined;

  constructor(
    private readonly destination: SealedDestination,
    { guard, box }: TransportParts,
  ) {
    const { id, headers, auth } = destination;
    this.guard = guard;
    this.signer = new WebhookSigner(destination, box);
    this.staticHeaders = lowerCased(openHeaders(box, headers, id));
    this.credentials = new Credentials(openAuth(box, auth, id), guard);
    this.connections = new FreshConnections(() => openConnections(destination, guard));
  }

  /**
   * Sends again, once, where the receiver refuses a token that was kept, which may have been revoked, or says that it is
   * the wrong server. The whole attempt, tokens included, takes at most `timeoutMs`, because the lease of the delivery
   * lasts little longer.
   */
  async send(message: DeliveryMessage, rendered: DescribedBody, signal: AbortSignal): Promise<Answer> {
    try {
      this.guard.checkLiteral(new URL(this.destination.url));
    } catch (error) {
      return { kind: 'failed', reason: 'ADDRESS_REFUSED', message: error instanceof Error ? error.message : '' };
    }
    const { headers } = rendered;
    const { timeoutMs, format } = this.destination;
    const deadlineMs = performance.now() + timeoutMs;
    const leftMs = (): number => Math.max(0, deadlineMs - performance.now());
    for (let isFirst = true; ; isFirst = false) {
      const askedAtMs = performance.now();
      const auth = await this.credentials.headersWithin(leftMs(), askedAtMs);
      if ('failure' in auth) {
        const { failure, ...rest } = auth;
        return { kind: 'failed', reason: 'AUTH_FAILED', message: failure, ...rest };
      }
      const body = withRoutingKey(format, auth.headers, rendered.body);
      const own = this.ownHeaders(message, body, timeOfDay());
      const answer = await post(
        this.connections.get(),
        this.destination,
        { body, headers: { ...AGENT, ...headers, ...this.staticHeaders, ...own, ...auth.headers } },
        signal,
        leftMs(),
      );
      const status = answer.kind === 'answered' ? answer.status : undefined;
      if (status === MISDIRECTED) this.connections.renew();
      const mayHelp = status === MISDIRECTED || (status === UNAUTHORIZED && this.credentials.refused(auth, askedAtMs));
      if (!mayHelp || !isFirst || leftMs() < timeoutMs / 2) return this.withoutEchoes(answer, auth.headers);
    }
  }

  /** Masks what an answer repeats of the headers that only the receiver may know. */
  private withoutEchoes(answer: Answer, ofAuth: StaticHeaders): Answer {
    const isAnswered = answer.kind === 'answered';
    if ((isAnswered ? answer.text : answer.message) === '') return answer;
    if (this.echoes?.ofAuth !== ofAuth) {
      this.echoes = { ofAuth, texts: echoesOf([...Object.values(this.staticHeaders), ...Object.values(ofAuth)]) };
    }
    const { texts } = this.echoes;
    if (isAnswered) return { ...answer, text: withoutEchoes(answer.text, texts) };
    return { ...answer, message: withoutEchoes(answer.message, texts) };
  }

  close(): Promise<void> {
    return this.connections.close();
  }

  /** What StreamForge itself sends with each delivery. Nothing else can set these (render/static-headers.ts). */
  private ownHeaders(message: DeliveryMessage, body: Buffer, now: Date): Record<string, string> {
    const { id, correlationId, traceparent, attempt } = message;
    return {
      ...this.signer.headers(id, body, now),
      'webhook-attempt': String(attempt),
      ...(VISIBLE_ASCII.test(correlationId) ? { 'x-correlation-id': correlationId } : {}),
      ...(traceparent !== undefined && VISIBLE_ASCII.test(traceparent) ? { traceparent } : {}),
    };
  }
}

/** Header names have no case: one of an operator takes the place of ours. */
const lowerCased = (headers: StaticHeaders): StaticHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
