import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually';
import { rowsOf } from '../../support/processes/e2e-own-servers';
import { ofTheRun } from '../run/inconclusive';

/** Makes every transaction that begins in the next `ms` read-only, as an operator or a provider with a full disk does. */
export async function whileReadOnly(databaseUrl: string, ms: number): Promise<void> {
  const alter = (change: string) =>
    ofTheRun(`alter system ${change}`, () =>
      eventually(async () => {
        await rowsOf(databaseUrl, `alter system ${change}`);
        await rowsOf(databaseUrl, 'select pg_reload_conf()');
      }),
    );
  await alter('set default_transaction_read_only = on');
  await sleep(ms);
  await alter('reset default_transaction_read_only');
}
