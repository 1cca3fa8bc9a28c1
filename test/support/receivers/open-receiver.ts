import { AddressGuard } from '../../../src/destinations/address/address-guard';
import { openConnections, post, type Answer } from '../../../src/destinations/delivery-client';
import type { Destination } from '../../../src/destinations/destination';
import { RawReceiver, type ReceiverOptions, type Respond } from './raw-receiver';

export interface OpenReceiver {
  receiver: RawReceiver;
  deliver: (body?: string) => Promise<Answer>;
  stop: () => Promise<void>;
}

interface Options extends ReceiverOptions {
  timeoutMs?: number;
  maxInFlight?: number;
  /** Any name leads to the receiver. */
  host?: string;
}

/** Starts a raw receiver and connections to it. */
export async function openReceiver(respond: Respond, options: Options = {}): Promise<OpenReceiver> {
  const { timeoutMs = 10_000, maxInFlight = 1, host = '127.0.0.1' } = options;
  const receiver = await RawReceiver.start(respond, options);
  const url = `${options.tls ? 'https' : 'http'}://${host}:${receiver.port}/hook`;
  const destination = { url, timeoutMs, maxInFlight } as Destination;
  const guard = new AddressGuard({ DESTINATIONS_ALLOW_PRIVATE: true, DESTINATIONS_ALLOWED_CIDRS: [] }, () =>
    Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
  );
  const connections = openConnections(destination, guard);
  return {
    receiver,
    deliver: (body = '{"a":1}') =>
      post(connections, destination, { body, headers: { 'webhook-id': 'a' } }, new AbortController().signal),
    stop: async () => {
      await connections.destroy();
      await receiver.stop();
    },
  };
}
