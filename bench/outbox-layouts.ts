/** A layout of the outbox: its tables and the three statements of an entry. */
export interface Layout {
  name: string;
  tables: readonly string[];
  /** $1: number of entries. */
  insert: string;
  /** $1: token, $2: limit, $3: id below which all entries are closed (only without an index of open entries). */
  claim: string;
  /** $1: token, $2: ids. */
  close: string;
  /** Whether published rows stay, for the reconciler and for publishedAt. */
  keepsRows: boolean;
}

const PAYLOAD = `repeat(md5(n::text), 18) || md5('x')`;

const COLUMNS = `
  id bigint generated always as identity,
  created_at timestamptz not null default now(),
  event_id uuid not null default gen_random_uuid(),
  dispatch_no integer not null default 1,
  generation integer not null default 1,
  destination text not null default 'main',
  status text not null default 'PENDING',
  attempts integer not null default 0,
  lock_owner uuid,
  lock_acquired_at timestamptz,
  next_attempt_at timestamptz,
  closed_at timestamptz,
  last_error text`;

const THIN_INSERT = 'insert into outbox (destination) select $$main$$ from generate_series(1, $1::integer) n';
const DUE = `(status = 'PENDING' and (next_attempt_at is null or next_attempt_at <= now())
              or status = 'IN_FLIGHT' and lock_acquired_at < now() - interval '30 seconds')`;

const claimWhere = (condition: string): string => `
  with due as materialized (
    select id from outbox where ${condition} and ${DUE} order by id limit $2 for update skip locked
  )
  update outbox set status = 'IN_FLIGHT', lock_owner = $1, lock_acquired_at = now()
   where id = any (array(select id from due)) returning id`;

const HELD = `id = any ($2::bigint[]) and lock_owner = $1 and status = 'IN_FLIGHT'`;
const CLOSE = `update outbox set status = 'PUBLISHED', closed_at = now() where ${HELD}`;

const LEASE_INDEXES = [
  'create index on outbox (status, next_attempt_at, id)',
  `create index on outbox (lock_acquired_at) where status = 'IN_FLIGHT'`,
];
const OPEN = 'closed_at is null';
const ABOVE_FLOOR = 'id >= $3::bigint';
const unused = ' and ($3::bigint is null or true)';

export const LAYOUTS: readonly Layout[] = [
  {
    name: 'payload in the row, lease columns indexed',
    tables: [`create table outbox (${COLUMNS}, payload text, primary key (id))`, ...LEASE_INDEXES],
    insert: `insert into outbox (payload) select ${PAYLOAD} from generate_series(1, $1::integer) n`,
    claim: claimWhere(OPEN + unused),
    close: CLOSE,
    keepsRows: true,
  },
  {
    name: 'thin row, lease columns indexed',
    tables: [`create table outbox (${COLUMNS}, primary key (id))`, ...LEASE_INDEXES],
    insert: THIN_INSERT,
    claim: claimWhere(OPEN + unused),
    close: CLOSE,
    keepsRows: true,
  },
  ...[50, 70].map((fillfactor) => ({
    name: `thin row, partial index on open rows, fillfactor ${fillfactor}`,
    tables: [
      `create table outbox (${COLUMNS}, primary key (id, created_at)) with (fillfactor = ${fillfactor})`,
      `create index on outbox (id) where ${OPEN}`,
    ],
    insert: THIN_INSERT,
    claim: claimWhere(OPEN + unused),
    close: CLOSE,
    keepsRows: true,
  })),
  {
    name: 'thin row, primary key only, fillfactor 40, scan floor',
    tables: [`create table outbox (${COLUMNS}, primary key (id)) with (fillfactor = 40)`],
    insert: THIN_INSERT,
    claim: claimWhere(ABOVE_FLOOR),
    close: CLOSE,
    keepsRows: true,
  },
  {
    name: 'thin row, primary key only, fillfactor 50, deleted when published',
    tables: [`create table outbox (${COLUMNS}, primary key (id)) with (fillfactor = 50)`],
    insert: THIN_INSERT,
    claim: claimWhere(ABOVE_FLOOR),
    close: `delete from outbox where ${HELD}`,
    keepsRows: false,
  },
];
