import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { abandon, createApp } from '../../../src/create-app';
import { testSettings } from '../../support/app';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { openProxy } from '../../support/broker/proxy';
import { createTestDatabase } from '../../support/database';

describe('an application whose start has failed', () => {
  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  afterEach(closeAll);

  it('is given up soon, although PostgreSQL does not answer any more', async () => {
    const database = await createTestDatabase();
    atTheEnd(() => database.drop());
    const proxy = await openProxy(database.url);
    const app = await createApp(testSettings({ APP_ROLE: 'api' }), `${proxy.url}?query_timeout=1000`);
    await app.init();
    proxy.freeze();
    const given = abandon(app).then(() => 'given up');
    await expect(Promise.race([given, sleep(30_000, 'still waits', { ref: false })])).resolves.toBe('given up');
  }, 60_000);
});
