import type { Answer } from './delivery-client';
import type { SealedDestination } from './destination';
import type { DescribedBody } from './render/cloud-event-format';
import { Renderer, type RenderedDelivery } from './render/renderer';
import type { TransformProcess } from './render/transform-process';
import type { Connection, DeliveryMessage, TransportParts } from './transports/transport';
import { transportOf } from './transports/transports';

/** The delivery could not start. */
export type NotRendered = Extract<RenderedDelivery, { kind: 'held' }>;

/** What this process holds for one revision of a destination: its connection and renderer. */
export class Line {
  private readonly renderer: Renderer;
  private readonly connection: Connection;
  private uses = 0;
  private unused: (() => void) | undefined;

  /** @throws UnopenedSecretError */
  constructor(
    readonly destination: SealedDestination,
    parts: TransportParts,
    transforms: TransformProcess,
  ) {
    this.renderer = new Renderer(destination, transforms);
    this.connection = transportOf(destination.url).open(destination, parts);
  }

  async send(message: DeliveryMessage, signal: AbortSignal): Promise<Answer | NotRendered> {
    const rendered = await this.render(message.body);
    return rendered.kind === 'rendered' ? this.sendRendered(message, rendered, signal) : rendered;
  }

  /** @param event the normalised event as JSON */
  render(event: Buffer): RenderedDelivery | Promise<RenderedDelivery> {
    return this.renderer.render(event);
  }

  sendRendered(message: DeliveryMessage, rendered: DescribedBody, signal: AbortSignal): Promise<Answer> {
    return this.connection.send(message, rendered, signal);
  }

  /** Runs a delivery. The connections stay open until it has ended. */
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
    await this.connection.close();
  }
}
