import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AddressGuard } from '../../../src/destinations/address/address-guard';
import { openConnections, post, type Answer } from '../../../src/destinations/delivery-client';
import type { Destination } from '../../../src/destinations/destination';
import { FreshConnections, MAX_AGE_MS } from '../../../src/destinations/http/fresh-connections';

describe('the connections to a receiver', () => {
  const servers: Server[] = [];
  let nowMs = 0;
  let address = '127.0.0.1';
  const settings = { DESTINATIONS_ALLOW_PRIVATE: true, DESTINATIONS_ALLOWED_CIDRS: [] };
  let connections: FreshConnections;
  let deliver: () => Promise<Answer>;

  const listen = async (host: string, port: number): Promise<number> => {
    const server = createServer((_request, response) => response.end(host));
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };

  beforeEach(async () => {
    const port = await listen('127.0.0.1', 0);
    await listen('127.0.0.2', port);
    const guard = new AddressGuard(settings, () => Promise.resolve([{ address, family: 4 }]));
    const destination = { url: `http://receiver.test:${port}/`, timeoutMs: 10_000, maxInFlight: 1 } as Destination;
    connections = new FreshConnections(
      () => openConnections(destination, guard),
      () => nowMs,
    );
    deliver = () => post(connections.get(), destination, { body: '{}', headers: {} }, new AbortController().signal);
  });
  afterEach(async () => {
    await connections.close();
    for (const server of servers.splice(0)) server.close();
  });

  it('follow a name that has moved, and ask the address guard again', async () => {
    expect(await deliver()).toMatchObject({ text: '127.0.0.1' });
    address = '127.0.0.2';
    nowMs += MAX_AGE_MS - 1;
    expect(await deliver()).toMatchObject({ text: '127.0.0.1' }); // a kept connection
    nowMs += 1;
    expect(await deliver()).toMatchObject({ text: '127.0.0.2' });
    settings.DESTINATIONS_ALLOW_PRIVATE = false;
    nowMs += MAX_AGE_MS;
    expect(await deliver()).toMatchObject({ kind: 'failed', reason: 'ADDRESS_REFUSED' });
  });
});
