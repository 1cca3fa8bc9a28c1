import {
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiObject,
  ApiText,
} from '../../http/docs/api-fields';
import { ApiActionId } from '../endpoint/action-docs';
import { ERASURE_STATISTICS, ERASURE_STATUSES, type ErasureStatistics, type ErasureStatus } from './erasure';

export class ErasureCountsResponse {
  @ApiCount(12, { description: 'Events whose payload is removed' }) events!: number;
  @ApiCount(1, { description: 'Of these, events that had not been processed and are DISCARDED' }) discarded!: number;
  @ApiCount(0, { description: 'Of these, events whose request to a source is removed' }) requests!: number;
  @ApiCount(0, { description: 'Revisions whose payload is removed' }) revisions!: number;
  @ApiCount(2, { description: 'Deliveries that are SKIPPED' }) deliveries!: number;
  @ApiCount(3, {
    description:
      'Attempts, dead letters and deliveries whose messages, notes or excerpts of responses are replaced by `[erased]`',
  })
  texts!: number;
  @ApiCount(1, { description: 'Rejections whose bytes are removed' }) rejections!: number;
  @ApiCount(0, { description: "Requests removed from the inspectors of the tenant's sources" }) samples!: number;
}

export class StartedErasureResponse {
  @ApiFlag(true) accepted!: boolean;
  @ApiActionId() actionId!: string | null;
  @ApiId({ nullable: true, description: 'The same id, for GET /v1/admin/erasures/{erasureId}. Null in a dry run' })
  erasureId!: string | null;
  @ApiFlag(false) dryRun!: boolean;
  @ApiObject(ErasureCountsResponse, {
    description: 'In a dry run, what would be erased. Otherwise what has been erased so far, which is nothing',
  })
  counts!: ErasureCountsResponse;
  @ApiFlag(false, { description: 'True when a dry run took too long, and has not counted everything' }) more!: boolean;
  @ApiList(String, { description: 'The `eventIds` that no event of the tenant has, at most 100 of them' })
  notFound!: string[];
  @ApiCount(0, { description: 'How many of the `eventIds` no event has, including those beyond the first 100' })
  notFoundCount!: number;
  @ApiText('c-1') correlationId!: string;
}

export class ErasureResponse {
  @ApiId() erasureId!: string;
  @ApiEnum('ErasureStatus', ERASURE_STATUSES) status!: ErasureStatus;
  @ApiText('demo') tenantId!: string;
  @ApiText('customer-17', { nullable: true }) subject!: string | null;
  @ApiList(String, { nullable: true }) eventIds!: readonly string[] | null;
  @ApiInstant({ nullable: true }) before!: string | null;
  @ApiObject(ErasureCountsResponse, { description: 'What has been erased so far' }) counts!: ErasureCountsResponse;
  @ApiEnum('ErasureStatistics', ERASURE_STATISTICS, {
    nullable: true,
    description:
      "Whether PostgreSQL's statistics, which hold values of columns, were renewed afterwards. If that failed, run `analyze` on the database. Null until the end, and if nothing was erased",
  })
  statistics!: ErasureStatistics | null;
  @ApiText(undefined, { nullable: true }) note!: string | null;
  @ApiText('admin') requestedBy!: string;
  @ApiText('c-1') correlationId!: string;
  @ApiInstant() createdAt!: string;
  @ApiInstant({ nullable: true }) finishedAt!: string | null;
}

export class ErasuresPage {
  @ApiList(ErasureResponse, { description: 'Erasures, newest first' }) erasures!: ErasureResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}
