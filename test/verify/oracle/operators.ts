import type { Evidence } from '../evidence/evidence';
import { entriesOf, type EntryOf } from '../run/journal';
import { FaultWindows, hitsDatabase } from './fault-windows';
import { violation, type Violation } from './violation';

const OUTAGE_ANSWERS = [503, undefined];
const EXPECTED: Record<string, number> = {
  replay: 202,
  'dlq.retry': 202,
  'dlq.discard': 202,
  'event.revise': 201,
  erasure: 202,
  look: 200,
  prune: 200,
  'deliveries.retry': 202,
  'deliveries.discard': 202,
  'destination.backfill': 202,
  'destination.pause': 200,
  'destination.resume': 200,
  'destination.create': 201,
  'destination.switch': 200,
  'destination.change': 200,
  'destination.rotate-secret': 200,
  'source.switch': 200,
  'source.secrets': 200,
};
/** Actions that write one audit row, however often they are asked for with the same key. */
const AUDITED = [
  'replay',
  'dlq.retry',
  'dlq.discard',
  'event.revise',
  'erasure',
  'deliveries.retry',
  'deliveries.discard',
  'destination.backfill',
];
/** Actions that have a row in `replays`. */
const REPLAYS = ['replay', 'destination.backfill'];
/** Why an event is not revised: it has moved on since it was found. */
const NOT_REVISED = ['event-in-process', 'event-not-failed', 'event-erased', 'too-many-revisions'];
const DISCARDS = ['dlq.discard', 'deliveries.discard'];

/** I12: an admin action did what its response says, once. An action that failed changed nothing. */
export function checkOperators({ journal, replays, audit, stored }: Evidence): Violation[] {
  const asked = entriesOf(journal, 'operator');
  const faults = new FaultWindows(journal);
  const rows = Map.groupBy(audit, ({ correlationId }) => correlationId);
  return [
    ...asked.flatMap((entry) => checkAnswer(entry, faults)),
    ...[...actionsIn(asked)].flatMap((entries) => checkAction(entries, rows)),
    ...checkReplays(asked, replays),
    ...checkDiscarded(asked, stored),
  ];
}

function checkAnswer(
  { action, status, text, body, sentMs, atMs }: EntryOf<'operator'>,
  faults: FaultWindows,
): Violation[] {
  if (action === 'prune' && faults.explain(sentMs, atMs, hitsDatabase)) return [];
  const isDryRun = action === 'event.revise' && status === 200;
  if (status === EXPECTED[action] || isDryRun || OUTAGE_ANSWERS.includes(status)) return [];
  if (status === 409 && body?.code === 'idempotency-in-flight') return [];
  if (status === 409 && action === 'event.revise' && NOT_REVISED.includes(String(body?.code))) return [];
  // A request to disable the destination may be carried out late.
  if (status === 409 && body?.code === 'destination-disabled' && action === 'destination.backfill') return [];
  return [violation('strange answer', `${action}: ${status} ${text}${JSON.stringify(body)}`)];
}

/** The requests for each action: those with the same key, or a single one. */
function actionsIn(asked: readonly EntryOf<'operator'>[]): Iterable<EntryOf<'operator'>[]> {
  const audited = asked.filter(({ action }) => AUDITED.includes(action));
  return Map.groupBy(audited, ({ id, key }) => key ?? id).values();
}

function checkAction(
  entries: readonly EntryOf<'operator'>[],
  audit: ReadonlyMap<string, Evidence['audit']>,
): Violation[] {
  const rows = entries.flatMap(({ id }) => audit.get(id) ?? []);
  const name = `${entries[0]?.action} (${entries.map(({ id }) => id).join(', ')})`;
  if (rows.length > 1) return [violation('operator', `${name} was carried out ${rows.length} times`)];
  return entries.flatMap((entry) => checkAudit(entry, rows[0], audit.has(entry.id)));
}

/** `row`: the audit row of the action. `own`: it was this request that was carried out. */
function checkAudit(
  { action, id, status, body, request }: EntryOf<'operator'>,
  row: Evidence['audit'][number] | undefined,
  own: boolean,
): Violation[] {
  const isUnknown = body?.actionId !== undefined; // the response says that the action may have been carried out
  if (status !== undefined && status >= 500 && own && !isUnknown) {
    return [violation('operator', `${action} (${id}) was answered ${status}, and carried out`)];
  }
  if (status !== EXPECTED[action]) return [];
  if ((row === undefined) !== (request.dryRun === true)) {
    const there = row === undefined ? 'is not in the audit' : 'is in the audit';
    return [violation('operator', `${action} (${id}) was answered ${status}, and ${there}`)];
  }
  const counts = Object.entries(row?.counts ?? {}).filter(([name]) => name in (body ?? {}));
  const wrong = counts.filter(([name, count]) => Number(body?.[name]) !== count);
  return wrong.map(([name, count]) =>
    violation(
      'operator',
      `${action} (${id}) was answered with ${name} ${String(body?.[name])}, and the audit says ${count}`,
    ),
  );
}

function checkReplays(asked: readonly EntryOf<'operator'>[], replays: Evidence['replays']): Violation[] {
  const ids = new Map(replays.map((replay) => [replay.id, replay]));
  const answered = asked.filter(({ action, status }) => REPLAYS.includes(action) && status === 202);
  const lost = answered.filter(({ body }) => body?.dryRun !== true && !ids.has(String(body?.replayId)));
  const known = new Set(asked.map(({ id }) => id));
  return [
    ...lost.map(({ body }) => violation('lost', `replay ${String(body?.replayId)} was answered and does not exist`)),
    ...replays
      .filter(({ status, mode }) => status !== 'DONE' && !(mode === 'backfill' && status === 'CANCELLED')) // disabled
      .map(({ id, status }) => violation('unsettled', `replay ${id} is ${status}`)),
    ...replays
      .filter(({ correlationId }) => !known.has(correlationId))
      .map(({ id }) => violation('operator', `replay ${id} was never requested`)),
  ];
}

/** Only operators discard events, apart from erasures. */
function checkDiscarded(asked: readonly EntryOf<'operator'>[], stored: Evidence['stored']): Violation[] {
  const requests = asked.filter(
    ({ action, status }) => DISCARDS.includes(action) && (status === 202 || status === undefined),
  );
  const most = requests.reduce((sum, { body, request }) => sum + Number(body?.discarded ?? request.limit), 0);
  const discarded = stored.filter(({ status, erased }) => status === 'DISCARDED' && !erased);
  if (discarded.length <= most) return [];
  return [
    violation(
      'operator',
      `${discarded.length} events are discarded, ${most} were requested`,
      ...discarded.map(({ name }) => name),
    ),
  ];
}
