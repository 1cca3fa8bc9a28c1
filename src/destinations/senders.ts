import { Injectable } from '@nestjs/common';
import { AddressGuard } from './address/address-guard';
import type { SealedDestination } from './destination';
import { Line } from './line';
import { TransformProcess } from './render/transform-process';
import { SecretKey } from './secrets/secret-key';
import { testDelivery, type TestedDelivery } from './test-delivery';
import type { DeliveryMessage } from './transports/transport';

/** Opens what sends requests to a destination. */
@Injectable()
export class Senders {
  constructor(
    private readonly guard: AddressGuard,
    private readonly key: SecretKey,
    private readonly transforms: TransformProcess,
  ) {}

  /** Nothing can be sent, whatever the destination. */
  get isCutOff(): boolean {
    return this.guard.isCutOff;
  }

  /** @throws UnopenedSecretError */
  async open(destination: SealedDestination): Promise<Line> {
    return new Line(destination, { guard: this.guard, box: await this.key.box() }, this.transforms);
  }

  /**
   * Sends one request over its own connection, whatever the state of the destination.
   * @param dryRun makes the request, and does not send it
   * @throws UnopenedSecretError
   */
  async test(destination: SealedDestination, message: DeliveryMessage, dryRun: boolean): Promise<TestedDelivery> {
    return testDelivery(await this.open(destination), message, dryRun);
  }
}
