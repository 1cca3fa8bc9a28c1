import type { SealedDestination } from '../../../src/destinations/destination';
import { AddressGuard } from '../../../src/destinations/address/address-guard';
import { resolveBySystem } from '../../../src/destinations/names/resolve-names';
import { Transmitter, type Transmission } from '../../../src/deliveries/transmitter';
import { newSecret } from '../../../src/destinations/secrets/secret-box';
import { TransformProcess } from '../../../src/destinations/render/transform-process';
import { SecretKey } from '../../../src/destinations/secrets/secret-key';
import { Senders } from '../../../src/destinations/senders';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { PLAIN_DESTINATION } from '../../support/receivers/destinations';
import { TestReceiver } from '../../support/receivers/receiver';

describe('a destination that changes', () => {
  let database: TestDatabase;
  let receiver: TestReceiver;
  beforeAll(async () => {
    database = await createTestDatabase();
    receiver = await TestReceiver.start();
  });
  afterAll(async () => {
    await receiver.stop();
    await database.drop();
  });

  it('does not fail deliveries that wait for a slot of the earlier revision', async () => {
    const settings = testSettings({ DESTINATIONS_ALLOW_PRIVATE: 'true' });
    const key = new SecretKey(settings, database.pool);
    const senders = new Senders(new AddressGuard(settings, resolveBySystem), key, new TransformProcess(settings));
    const transmitter = new Transmitter(senders);
    const id = uuidV7();
    const before: SealedDestination = {
      ...PLAIN_DESTINATION,
      id,
      tenantId: 'changing',
      url: `http://127.0.0.1:${receiver.port}/`,
      eventTypes: ['*'],
      enabled: true,
      disabledReason: null,
      disabledAt: null,
      description: '',
      timeoutMs: 5_000,
      maxInFlight: 1,
      secret: (await key.box()).seal(newSecret(), id),
      previousSecret: null,
      previousSecretUntil: null,
      revision: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    };
    const send = (destination: SealedDestination): Promise<Transmission> => {
      const event = {
        id: uuidV7(),
        tenantId: 'changing',
        type: 't',
        receivedAt: '2026-01-01T00:00:00.000Z',
        correlationId: 'c-1',
        body: Buffer.from('{}'),
      };
      const key = { eventId: event.id, destinationId: id, generation: 1 };
      const leased = {
        ...key,
        lease: uuidV7(),
        attempts: 0,
        tries: 0,
        ageSeconds: 0,
        probes: false,
        event,
      };
      return transmitter.send(destination, leased, () => true, new AbortController().signal);
    };
    const results = await Promise.all([send(before), send(before), send(before), send({ ...before, revision: 2 })]);
    expect(results.map(({ kind }) => kind)).toEqual(['done', 'done', 'done', 'done']);
    transmitter.keepOnly(new Map());
  });
});
