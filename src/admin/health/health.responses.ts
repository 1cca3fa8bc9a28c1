import { ApiCount, ApiEnum, ApiFlag, ApiList, ApiText } from '../../http/docs/api-fields';
import type { Finding } from '../../db/condition/finding';

class ChoreResponse {
  @ApiText('retention') name!: string;
  @ApiCount(12, { description: 'Seconds since its last success, or since it was first recorded if it never succeeded' })
  ageSeconds!: number;
  @ApiCount(0, {
    nullable: true,
    description: 'For how many seconds some of its work has been waiting for locks. Null if nothing waits',
  })
  putOffSeconds!: number | null;
  @ApiText('57014', { nullable: true, description: 'SQLSTATE of the last run, if it failed' }) errorCode!:
    string | null;
  @ApiFlag(false, { description: 'True when it has not succeeded for three intervals' }) overdue!: boolean;
}

class FindingResponse {
  @ApiText('schema', { description: 'What was looked at' }) what!: string;
  @ApiEnum('FindingSeverity', ['ok', 'advice', 'problem'], {
    description: '`problem`: it keeps StreamForge from working; `advice`: it does not',
  })
  severity!: Finding['severity'];
  @ApiText('up to date, with partitions for the coming days and no failed entries.', {
    description: 'What was found and what to do',
  })
  sentence!: string;
}

export class InstallationHealthResponse {
  @ApiText('0.1.0', { description: 'Version of StreamForge in the process that responds' }) version!: string;
  @ApiText('v24.4.1', { description: 'Version of Node.js in the process that responds' }) nodeVersion!: string;
  @ApiText('17.2') postgresVersion!: string;
  @ApiCount(24, { description: 'Connections to the PostgreSQL server that are in use, by whomever' })
  connections!: number;
  @ApiCount(100) maxConnections!: number;
  @ApiCount(7, {
    description: 'For how many of the coming 14 days the outbox has a partition. Publishers make those of a week',
  })
  partitionsAhead!: number;
  @ApiList(ChoreResponse, { description: 'What publishers do for the installation, in the order of names' })
  chores!: ChoreResponse[];
  @ApiList(FindingResponse, {
    description: 'What `npm run doctor` says about the database, its schema and the chores',
  })
  findings!: Finding[];
}
