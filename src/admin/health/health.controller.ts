import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { version } from '../../../package.json';
import { LeastRole } from '../../access/least-role';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { readClock } from '../../db/clock.queries';
import {
  assessAccount,
  assessChores,
  assessReservedTenant,
  assessServer,
  assessStored,
} from '../../db/condition/assess-database';
import { readReservedTenantFacts, readServerFacts, readStoredFacts } from '../../db/condition/database-facts.queries';
import { onOneConnection } from '../../db/pool';
import { listChoreRecords } from '../../db/retention/chore-records.queries';
import { overdueChores, type ChoreRecord } from '../../db/retention/chores';
import { aheadMs } from '../../event/time-of-day';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { InstallationHealthResponse } from './health.responses';

/** What `npm run doctor` says about the database, for those who cannot run it. /ready has the other dependencies. */
@AdminEndpoint()
@Controller('v1/admin/health')
export class HealthController {
  constructor(
    private readonly pool: Pool,
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
  ) {}

  @Get()
  @LeastRole('viewer', { allTenants: true })
  @NoQuery()
  @ApiOperation({
    operationId: 'getInstallationHealth',
    summary: 'Show versions, partitions, chores, and what `npm run doctor` says about the database.',
    description:
      'An operator who is bound to tenants may not read it. `GET /ready` says whether the dependencies of a process work.',
  })
  @ApiOkResponse({ type: InstallationHealthResponse })
  async read(): Promise<InstallationHealthResponse> {
    const { clock, server, stored, records, reserved } = await onOneConnection(this.pool, async (db) => ({
      clock: await readClock(db), // alone: what waits behind other statements says little about the clock
      server: await readServerFacts(db),
      stored: await readStoredFacts(db),
      records: await listChoreRecords(db),
      reserved: await readReservedTenantFacts(db),
    }));
    const overdue = new Set<string>(overdueChores(records).map(({ name }) => name));
    const isEmbedded = this.settings.DATABASE_URL === undefined; // its one account is its superuser
    return {
      version,
      nodeVersion: process.version,
      postgresVersion: server.version,
      connections: server.connections,
      maxConnections: server.maxConnections,
      partitionsAhead: stored.daysAhead,
      chores: records.map((record) => inWholeSeconds(record, overdue)).toSorted((a, b) => a.name.localeCompare(b.name)),
      findings: [
        ...assessServer(server, aheadMs(clock)),
        ...(isEmbedded ? [] : assessAccount(server)),
        ...assessStored(stored),
        ...assessChores(records),
        ...assessReservedTenant(reserved),
      ],
    };
  }
}

function inWholeSeconds(
  record: ChoreRecord,
  overdue: ReadonlySet<string>,
): InstallationHealthResponse['chores'][number] {
  const { name, ageSeconds, putOffSeconds, errorCode } = record;
  return {
    ...{ name, errorCode, overdue: overdue.has(name) },
    ageSeconds: Math.floor(ageSeconds),
    putOffSeconds: putOffSeconds === null ? null : Math.floor(putOffSeconds),
  };
}
