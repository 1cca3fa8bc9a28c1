/** The periodic work that one process does for the whole installation, with the longest normal time between two runs. */
export const CHORES = {
  'due-retries': 1,
  reconciler: 2,
  retention: 600,
  'crash-counts': 5,
  'closed-destinations': 2,
  'key-pruning': 3_600,
  'audit-chain': 60,
  'metric-rollup': 10,
  usage: 10,
  'operator-events': 10,
  'ordered-keys': 1,
} as const satisfies Record<string, number>;

export type Chore = keyof typeof CHORES;

/** A chore that has just run is recorded at most this often. */
export const RECORD_EVERY_SECONDS = 60;
/** A chore is overdue when it has not succeeded for this many of its intervals. */
const INTERVALS = 3;
/** A dump may hold locks for hours. */
const MOST_PUT_OFF_SECONDS = 86_400;

/** What the database knows of a chore. */
export interface ChoreRecord {
  name: string;
  /** Since the last success, or since the chore is known. */
  ageSeconds: number;
  /** How long it has been waiting for locks of others; null: it does not. */
  putOffSeconds: number | null;
  /** Of the last run, if it failed. */
  errorCode: string | null;
}

export interface OverdueChore {
  name: Chore;
  /** Beyond what is normal. */
  overdueSeconds: number;
  /** What follows the name in a sentence. */
  why: string;
}

/** Returns the chores that have not succeeded for three intervals, or have waited for locks for more than a day. */
export function overdueChores(records: readonly ChoreRecord[]): OverdueChore[] {
  return records.flatMap((record): OverdueChore[] => {
    const { name, ageSeconds, putOffSeconds } = record;
    if (!isChore(name)) return []; // of another build
    const late = ageSeconds - INTERVALS * Math.max(CHORES[name], RECORD_EVERY_SECONDS);
    const waiting = (putOffSeconds ?? 0) - MOST_PUT_OFF_SECONDS;
    if (late <= 0 && waiting <= 0) return [];
    const why = late > 0 ? lateBecause(record) : `waits for locks of other sessions since ${inHours(putOffSeconds)} h`;
    return [{ name, overdueSeconds: Math.max(late, waiting), why }];
  });
}

const isChore = (name: string): name is Chore => Object.hasOwn(CHORES, name);
const inHours = (seconds: number | null): number => Math.floor((seconds ?? 0) / 3_600);

function lateBecause({ ageSeconds, errorCode }: ChoreRecord): string {
  const minutes = Math.floor(ageSeconds / 60);
  return `has not succeeded for ${minutes} min${errorCode === null ? '' : ` (SQLSTATE ${errorCode})`}`;
}
