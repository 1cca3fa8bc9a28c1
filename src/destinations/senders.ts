import { Injectable } from '@nestjs/common';
import { AddressGuard } from './address/address-guard';
import type { Answer } from './delivery-client';
import type { SealedDestination } from './destination';
import { Line, type NotRendered, type WebhookMessage } from './line';
import { TransformProcess } from './render/transform-process';
import { SecretKey } from './secrets/secret-key';

/** Opens what sends requests to a destination. */
@Injectable()
export class Senders {
  constructor(
    private readonly guard: AddressGuard,
    private readonly key: SecretKey,
    private readonly transforms: TransformProcess,
  ) {}

  /** @throws UnopenedSecretError */
  async open(destination: SealedDestination): Promise<Line> {
    return new Line(destination, this.guard, await this.key.box(), this.transforms);
  }

  /** Sends one request over its own connection, whatever the state of the destination. @throws UnopenedSecretError */
  async test(destination: SealedDestination, message: WebhookMessage): Promise<Answer | NotRendered> {
    const sender = await this.open(destination);
    try {
      return await sender.send(message, new AbortController().signal);
    } finally {
      void sender.close();
    }
  }
}
