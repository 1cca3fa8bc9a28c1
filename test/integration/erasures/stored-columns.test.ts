import { CONTENT_COLUMNS } from '../../../src/admin/erasures/statistics/content-columns';
import { useDatabase } from '../../support/fixtures/database';

/** Columns that hold facts about events, keys and hashes, words of a closed set, or what operators have written. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  admin_audit: [
    ...[
      'action',
      'actor',
      'address',
      'correlation_id',
      'counts',
      'filter',
      'fingerprint',
      'key_digest',
      'note',
      'role',
    ],
    'tenant_ids',
  ],
  api_keys: ['allow', 'created_by', 'digest', 'id', 'name', 'scopes', 'tenant_id'],
  audit_chain: ['counts_digests', 'digest', 'entry_digests'],
  audit_counts: ['counts'],
  backfills: ['skipped', 'status', 'type'],
  chore_progress: ['name'],
  chores: ['error_code', 'name'],
  condition_raises: ['kind', 'subject'],
  dead_letters: ['reason_code', 'resolution', 'tenant_id', 'type'],
  deliveries: ['cause', 'last_reason_code', 'status', 'tenant_id', 'type'], // the cause is a hash
  changed_keys: ['tenant_id'],
  delivery_attempts: ['reason_code', 'worker'],
  delivery_closings: ['reason_code', 'status'],
  destination_failures: ['last_reason_code'],
  destinations: [
    ...[
      'auth',
      'description',
      'disabled_reason',
      'event_types',
      'filter',
      'format',
      'headers',
      'min_severity',
      'on_poison',
      'ordering',
    ],
    ...['previous_secret', 'quiet_hours', 'secret', 'tenant_id', 'transform', 'uid', 'url'],
  ],
  erasures: [
    ...['correlation_id', 'counts', 'note', 'phase', 'requested_by', 'statistics', 'status', 'subject', 'tenant_id'],
  ],
  event_revisions: ['actor', 'hash'],
  event_state: ['status'],
  events: [
    ...['correlation_id', 'event_id', 'hash', 'partition_key', 'schema_version', 'source', 'spec_version', 'subject'],
    ...['tenant_id', 'traceparent', 'type'],
  ],
  handler_effects: ['handler'],
  idempotency_keys: ['digest', 'fingerprint'],
  installation: ['admin_token', 'destinations_key', 'given_installation_key', 'home', 'installation_key'],
  metric_changes: ['dimension', 'key', 'measure', 'tenant_id'],
  metric_rollup: ['dimension', 'key', 'measure', 'tenant_id'],
  metric_sums: ['dimension', 'key', 'measure', 'tenant_id'],
  metric_totals: ['dimension', 'measure'],
  operator_conditions: ['figures', 'kind', 'name', 'state', 'subject', 'tenant_id'], // counts, reason codes and ids
  operators: ['created_by', 'digest', 'id', 'name', 'role', 'tenant_ids'],
  ordered_events: ['on_poison', 'tenant_id', 'type'],
  ordered_failures: ['tenant_id'],
  ordered_handlers: ['event_types', 'name', 'on_poison'],
  ordered_keys: ['tenant_id'],
  outbox: ['destination', 'last_error', 'status', 'tenant_id'], // the errors of the broker
  processing_attempts: ['reason_code', 'status', 'worker'],
  quota_refusals: ['measure', 'tenant_id'],
  rejections: [
    ...[
      'code',
      'content_type',
      'correlation_id',
      'digest',
      'endpoint',
      'event_type',
      'format',
      'request_key',
      'status',
    ],
    'tenant_id',
  ],
  replay_events: ['outcome', 'reason'],
  replays: ['correlation_id', 'filter', 'mode', 'requested_by', 'status'],
  schema_migrations: ['name'],
  silence_expectations: ['active_hours', 'event_type', 'tenant_id'],
  silence_heard: ['subject'], // of a source or a type
  silence_minutes: ['subject'],
  sources: [
    'active_hours',
    ...['accept', 'answers', 'handshake', 'mapping', 'name', 'previous_token_digest', 'provider', 'secrets', 'status'],
    ...['tenant_id', 'token_digest', 'token_hint', 'uid', 'verification'],
  ],
  tenant_rests: ['tenant_id'],
  tenants: ['id', 'metadata', 'name', 'redact', 'status'],
  usage_daily: ['tenant_id', 'type'],
  usage_intake: ['tenant_id', 'type'],
  usage_slices: ['tenant_id', 'type'],
};

describe('the columns that hold texts, JSON or bytes', () => {
  const database = useDatabase();

  it('are each known to be erased, or to hold no content of events', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select c.relname || '.' || a.attname as name
         from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
          and a.attnum > 0 and not a.attisdropped
          and format_type(a.atttypid, null) in ('text', 'text[]', 'json', 'jsonb', 'bytea', 'bytea[]', 'character varying')`,
    );
    const known = [CONTENT_COLUMNS, KEPT].flatMap((tables) =>
      Object.entries(tables).flatMap(([table, columns]) => columns.map((column) => `${table}.${column}`)),
    );
    expect(rows.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
  });
});
