import type { TenantIds } from '../../access/acting-operator';
import type { Db } from '../../db/pool';
import { AUDIT_ENTRY, isLimitedTo, type AuditEntry } from './audit.queries';

/** Maximum number of entries that one search examines, newest first. Bounds the time of its statement. */
const MOST_EXAMINED = 20_000;

/** What is asked for, converted for SQL: null for what matches everything. */
export interface AuditCriteria {
  /** The tenants of an operator who is bound: only entries that are limited to these. Null: all entries. */
  tenantIds: TenantIds;
  /** Lowest id, inclusive. Ids are UUIDv7, so id order is time order. */
  fromId: string;
  /** Highest id, exclusive: the end of the time range, or the cursor. */
  beforeId: string;
  actor: string | null;
  /** The exact action. */
  action: string | null;
  /** The beginning of the action. */
  actionPrefix: string | null;
  /** Entries that are limited to this tenant, alone or with others. */
  tenantId: string | null;
}

export interface FoundEntries {
  /** Newest first. */
  entries: AuditEntry[];
  /** More entries may match below this id. Null when the search is complete. */
  lookedDownTo: string | null;
}

/** Finds one page of the audit trail. */
export async function findAuditEntries(db: Db, criteria: AuditCriteria, limit: number): Promise<FoundEntries> {
  const { tenantIds, fromId, beforeId, actor, action, actionPrefix, tenantId } = criteria;
  const isFiltered = [actor, action, actionPrefix, tenantId].some((asked) => asked !== null);
  // The inner limit keeps the conditions outside, where they do not make the scan longer.
  const { rows: entries } = await db.query<AuditEntry>(
    `select ${AUDIT_ENTRY}
       from (select * from admin_audit where id >= $1 and id < $2 and ${isLimitedTo('$3')} order by id desc limit $4) a
      where ($5::text is null or actor = $5) and ($6::text is null or action = $6)
        and ($7::text is null or starts_with(action, $7)) and ($8::text is null or $8 = any (tenant_ids))
      order by id desc limit $9`,
    [fromId, beforeId, tenantIds, isFiltered ? MOST_EXAMINED : limit, actor, action, actionPrefix, tenantId, limit],
  );
  if (entries.length === limit) return { entries, lookedDownTo: entries.at(-1)?.id ?? null };
  return { entries, lookedDownTo: isFiltered ? await lastExamined(db, criteria) : null };
}

/** Finds the last entry that was examined, if there are as many as the bound allows. */
async function lastExamined(db: Db, { fromId, beforeId, tenantIds }: AuditCriteria): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    `select id from admin_audit where id >= $1 and id < $2 and ${isLimitedTo('$3')} order by id desc offset $4 limit 1`,
    [fromId, beforeId, tenantIds, MOST_EXAMINED - 1],
  );
  return rows[0]?.id ?? null;
}
