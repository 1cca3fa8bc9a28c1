import type { LookupAddress } from 'node:dns';
import { Logger } from '@nestjs/common';
import { Destinations } from '../../../src/admin/destinations/destinations';
import { KnownTenants } from '../../../src/admin/tenants/known-tenants';
import { AdminActions } from '../../../src/admin/endpoint/admin-actions';
import { AdminTransactions } from '../../../src/admin/endpoint/admin-transactions';
import { DestinationRows } from '../../../src/admin/destinations/destination-rows';
import { DestinationUrl } from '../../../src/admin/destinations/destination-url';
import { AddressGuard } from '../../../src/destinations/address/address-guard';
import { TransformProcess } from '../../../src/destinations/render/transform-process';
import { SecretKey } from '../../../src/destinations/secrets/secret-key';
import type { SealedDestination } from '../../../src/destinations/destination';
import { Senders } from '../../../src/destinations/senders';
import { ACTING_ADMIN } from '../../support/credentials';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { TestReceiver } from '../../support/receivers/receiver';

const PUBLIC: LookupAddress = { address: '93.184.215.14', family: 4 };
const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 };

/** Creates the parts of admin and worker that a destination needs, with a resolver that the test controls. */
function startParts(database: TestDatabase, env: Record<string, string> = {}) {
  const names = new Map<string, LookupAddress[]>();
  const settings = testSettings(env);
  const guard = new AddressGuard(settings, async (hostname) => {
    const addresses = names.get(hostname);
    if (!addresses) throw new Error(`getaddrinfo ENOTFOUND ${hostname}`);
    return addresses;
  });
  const key = new SecretKey(settings, database.pool);
  const senders = new Senders(guard, key, new TransformProcess(settings));
  /** Sends one message. */
  const send = async (destination: SealedDestination) => {
    const sender = await senders.open(destination);
    try {
      const message = { id: 'test', body: Buffer.from('{}'), attempt: 1, correlationId: 'c' };
      return await sender.send(message, new AbortController().signal);
    } finally {
      await sender.close();
    }
  };
  const actions = new AdminActions(new AdminTransactions(database.pool));
  const rows = new DestinationRows(key, new DestinationUrl(settings, guard));
  const destinations = new Destinations(database.pool, actions, rows, new KnownTenants(settings));
  return { names, send, destinations };
}

describe('the addresses of destinations', () => {
  let database: TestDatabase;
  let receiver: TestReceiver;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    receiver = await TestReceiver.start();
  });
  afterAll(async () => {
    await receiver.stop();
    await database.drop();
  });

  it('are checked again for each connection: a name that was public and is 127.0.0.1 now is refused', async () => {
    const { names, send, destinations } = startParts(database);
    names.set('rebound.example', [PUBLIC]);
    const url = `http://rebound.example:${receiver.port}/`;
    const { destination } = await destinations.create({ tenantId: 'rebound', url }, ACTING_ADMIN);
    names.set('rebound.example', [LOOPBACK]);
    await expect(send(destination)).resolves.toMatchObject({ kind: 'failed', reason: 'ADDRESS_REFUSED' });
    expect(receiver.connections).toBe(0);
    await expect(destinations.create({ tenantId: 'rebound', url }, ACTING_ADMIN)).rejects.toThrow('invalid-request');
  });

  it('are all refused when one of them is not public', async () => {
    const { names, destinations } = startParts(database);
    names.set('both.example', [PUBLIC, LOOPBACK]);
    await expect(destinations.create({ tenantId: 't', url: 'http://both.example/' }, ACTING_ADMIN)).rejects.toThrow(
      'invalid-request',
    );
  });

  it('may be inside DESTINATIONS_ALLOWED_CIDRS, apart from loopback', async () => {
    const { names, destinations } = startParts(database, { DESTINATIONS_ALLOWED_CIDRS: '10.8.0.0/16, 127.0.0.0/8' });
    const create = (host: string) => destinations.create({ tenantId: 't', url: `http://${host}/` }, ACTING_ADMIN);
    names.set('inside.example', [{ address: '10.8.3.4', family: 4 }]);
    names.set('outside.example', [{ address: '10.9.3.4', family: 4 }]);
    names.set('loopback.example', [LOOPBACK]);
    for (const host of ['inside.example', '10.8.3.4']) {
      await expect(create(host)).resolves.toMatchObject({ destination: { url: `http://${host}/` } });
    }
    for (const host of ['outside.example', 'loopback.example', '10.9.3.4', '127.0.0.1']) {
      await expect(create(host)).rejects.toThrow('invalid-request');
    }
  });

  it('of a token endpoint are checked like those of a destination, at registration and at each fetch', async () => {
    const { names, send, destinations } = startParts(database, { DESTINATIONS_ALLOWED_CIDRS: '10.8.0.0/16' });
    names.set('rebound.example', [PUBLIC]);
    names.set('receiver.example', [{ address: '10.8.3.4', family: 4 }]);
    const create = (host: string) => {
      const tokenUrl = `http://${host}:${receiver.port}/token`;
      const auth = { type: 'oauth2', tokenUrl, clientId: 'id', clientSecret: 'secret' } as const;
      return destinations.create({ tenantId: 't', url: 'http://receiver.example/', auth }, ACTING_ADMIN);
    };
    for (const host of ['10.9.3.4', '127.0.0.1', '[::1]', 'nowhere.example']) {
      await expect(create(host)).rejects.toMatchObject({ extras: { errors: [{ pointer: '/auth/tokenUrl' }] } });
    }
    const { destination } = await create('rebound.example');
    names.set('rebound.example', [LOOPBACK]);
    const before = receiver.received.length;
    await expect(send(destination)).resolves.toEqual({
      kind: 'failed',
      reason: 'AUTH_FAILED',
      message: 'the token endpoint cannot be reached',
    });
    expect(receiver.received.slice(before)).toEqual([]);
  });

  it('may be private when the setting allows it, and the connection goes to the checked address', async () => {
    const { names, send, destinations } = startParts(database, { DESTINATIONS_ALLOW_PRIVATE: 'true' });
    names.set('inside.example', [LOOPBACK]);
    const url = `http://inside.example:${receiver.port}/`;
    const { destination } = await destinations.create({ tenantId: 't', url }, ACTING_ADMIN);
    await expect(send(destination)).resolves.toMatchObject({ kind: 'answered', status: 200 });
    expect(receiver.of('test')[0]?.headers.host).toBe(`inside.example:${receiver.port}`);
  });
});
