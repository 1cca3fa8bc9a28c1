import type { Evidence, StoredEvent } from './evidence';
import { entriesOf, type EntryOf } from './journal';

export type Breach =
  | 'lost'
  | 'doubled'
  | 'changed'
  | 'unsettled'
  | 'undelivered'
  | 'failed by an outage'
  | 'effects'
  | 'replay'
  | 'strange answer'
  | 'crashed';

export interface Violation {
  breach: Breach;
  text: string;
}

export interface Verdict {
  accepted: number;
  completed: number;
  lost: number;
  doubled: number;
  violations: Violation[];
}

/** Decides from what clients and receiver saw, and from what is there afterwards, whether every promise was kept. */
export function judge(evidence: Evidence): Verdict {
  const answers = answeredIds(evidence);
  const violations = [
    ...checkAcknowledged(evidence, answers),
    ...checkIdentity(evidence, answers),
    ...evidence.stored.flatMap((event) => [...checkHistory(event), ...checkOutages(event, evidence)]),
    ...checkEffects(evidence),
    ...checkDeliveries(evidence),
    ...checkReplays(evidence),
    ...checkRest(evidence),
    ...checkConduct(evidence),
  ];
  const count = (breach: Breach): number => violations.filter((violation) => violation.breach === breach).length;
  const completed = [...answers.keys()].filter((name) => evidence.readBack.get(name)?.status === 'COMPLETED');
  return {
    accepted: answers.size,
    completed: completed.length,
    lost: count('lost'),
    doubled: count('doubled'),
    violations,
  };
}

export function resultLine({ accepted, completed, lost, doubled }: Verdict): string {
  return `accepted ${accepted}, completed ${completed}, lost ${lost}, doubled ${doubled}`;
}

/** Every acknowledged name, with the ids that answers gave it; none where only a stream's summary told of it. */
function answeredIds({ journal }: Evidence): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const { acknowledged } of [...entriesOf(journal, 'answered'), ...entriesOf(journal, 'unanswered')]) {
    for (const { name, id } of acknowledged) {
      const known = ids.get(name) ?? new Set();
      if (id !== undefined) known.add(id);
      ids.set(name, known);
    }
  }
  return ids;
}

/** I1: what was answered 2xx is there, as it was sent. */
function checkAcknowledged({ readBack, payloads }: Evidence, answers: Map<string, Set<string>>): Violation[] {
  return [...answers].flatMap(([name, ids]): Violation[] => {
    const read = readBack.get(name);
    if (read?.httpStatus !== 200) return [violation('lost', `${name} reads as ${read?.httpStatus ?? 'nothing'}`)];
    const changed = read.payloadText !== payloads.get(name);
    return [
      ...(changed ? [violation('changed', `${name} was ${payloads.get(name)} and reads as ${read.payloadText}`)] : []),
      ...(ids.size > 0 && !ids.has(read.id)
        ? [violation('lost', `${name}: ${[...ids].join()} reads as ${read.id}`)]
        : []),
    ];
  });
}

/** I2: one event of each name, whatever was sent again, and always under the same id. */
function checkIdentity({ stored, payloads }: Evidence, answers: Map<string, Set<string>>): Violation[] {
  const storedIds = Map.groupBy(stored, ({ name }) => name);
  const twice = [...storedIds].filter(([, events]) => events.length > 1);
  const unknown = [...storedIds.keys()].filter((name) => !payloads.has(name));
  const twoIds = [...answers].filter(([, ids]) => ids.size > 1);
  return [
    ...twice.map(([name, events]) => violation('doubled', `${name} is stored as ${events.map(({ id }) => id).join()}`)),
    ...twoIds.map(([name, ids]) => violation('doubled', `${name} was answered with ${[...ids].join()}`)),
    ...unknown.map((name) => violation('changed', `${name} was never sent`)),
  ];
}

/** I7, I13: settled, with one success in each generation. */
function checkHistory({ name, status, generation, successes, replayed }: StoredEvent): Violation[] {
  const found: Violation[] = [];
  if (status !== 'COMPLETED') found.push(violation('unsettled', `${name} rests as ${status}`));
  for (let each = 1; each <= generation; each++) {
    const times = successes.filter((success) => success === each).length;
    if (times > 1) found.push(violation('doubled', `${name} succeeded ${times} times in generation ${each}`));
    if (times === 0) found.push(violation('unsettled', `${name} never succeeded in generation ${each}`));
  }
  if (successes.some((success) => success > generation)) {
    found.push(
      violation('doubled', `${name} succeeded in ${successes.join()}, but generation ${generation} is its last`),
    );
  }
  if (generation !== 1 + replayed) {
    found.push(violation('replay', `${name} was replayed ${replayed} times and is in generation ${generation}`));
  }
  return found;
}

/** I9: no outage uses up an attempt. A destination that fails by itself does. */
function checkOutages({ name, tenant, failedAttempts }: StoredEvent, { deliveredTenant }: Evidence): Violation[] {
  if (failedAttempts === 0 || tenant === deliveredTenant) return [];
  return [violation('failed by an outage', `${name} has ${failedAttempts} failed attempts`)];
}

/** I7: the meter counted each success once. */
function checkEffects({ stored, usage }: Evidence): Violation[] {
  const tenants = Map.groupBy(stored, ({ tenant }) => tenant);
  return [...tenants].flatMap(([tenant, events]) => {
    const expected = events.reduce((sum, { generation }) => sum + generation, 0);
    const counted = usage.get(tenant) ?? 0;
    if (counted === expected) return [];
    const text = `${tenant} was metered ${counted} times for ${events.length} events in ${expected} generations`;
    return [violation(counted > expected ? 'doubled' : 'effects', text)];
  });
}

/** I7: the receiver took each event at least once a generation, unchanged, always under the event's own id. */
function checkDeliveries({ journal, stored, payloads, deliveredTenant }: Evidence): Violation[] {
  const deliveries = Map.groupBy(entriesOf(journal, 'delivered'), ({ name }) => name);
  const events = stored.filter(({ tenant }) => tenant === deliveredTenant);
  const missing = events.flatMap(({ name, generation }) => {
    const taken = (deliveries.get(name) ?? []).filter(({ status }) => status !== undefined && status < 300).length;
    return taken >= generation
      ? []
      : [violation('undelivered', `${name} was taken ${taken} times in ${generation} generations`)];
  });
  const ids = new Map(events.map(({ name, id }) => [name, id]));
  const wrong = [...deliveries.values()].flat().flatMap(({ name, webhookId, payloadText }) => {
    if (webhookId !== ids.get(name))
      return [violation('doubled', `${name} was delivered with webhook-id ${webhookId}`)];
    return payloadText === payloads.get(name) ? [] : [violation('changed', `${name} was delivered as ${payloadText}`)];
  });
  return [...missing, ...wrong];
}

/** I12, I13: each replay that was answered is there and done; of the others, no more than were asked for. */
function checkReplays({ journal, replays }: Evidence): Violation[] {
  const asked = entriesOf(journal, 'replay');
  const statuses = new Map(replays.map(({ id, status }) => [id, status]));
  const answered = asked.flatMap(({ replayId }) => (replayId === undefined ? [] : [replayId]));
  const gone = answered.filter((id) => !statuses.has(id));
  const unfinished = replays.filter(({ status }) => status !== 'DONE');
  return [
    ...gone.map((id) => violation('lost', `replay ${id} was answered and is not there`)),
    ...unfinished.map(({ id, status }) => violation('unsettled', `replay ${id} is ${status}`)),
    ...(replays.length > asked.length
      ? [violation('replay', `${replays.length} replays, ${asked.length} asked for`)]
      : []),
  ];
}

/** I9, I13: nothing is left over. */
function checkRest({ outbox, waitingRetries, deadLetters }: Evidence): Violation[] {
  const left: [number, Breach, string][] = [
    [outbox.open, 'unsettled', 'outbox entries are open'],
    [outbox.failed, 'failed by an outage', 'outbox entries are FAILED'],
    [waitingRetries, 'unsettled', 'retries wait'],
    [deadLetters, 'failed by an outage', 'events are dead letters'],
  ];
  return left.flatMap(([count, breach, what]) => (count === 0 ? [] : [violation(breach, `${count} ${what}`)]));
}

const OUTAGE_ANSWERS = [202, 503, undefined];

/** I14: in an outage, clients are told to come again, and processes stay up. */
function checkConduct({ journal }: Evidence): Violation[] {
  const strangeReplay = ({ status }: EntryOf<'replay'>): boolean => !OUTAGE_ANSWERS.includes(status);
  return [
    ...entriesOf(journal, 'strange').map(({ status, text }) => violation('strange answer', `${status} ${text}`)),
    ...entriesOf(journal, 'replay')
      .filter(strangeReplay)
      .map(({ status, reason }) => violation('strange answer', `a replay: ${status} ${reason}`)),
    ...entriesOf(journal, 'crashed').map(({ process, output }) => violation('crashed', `${process}: ${output}`)),
  ];
}

const violation = (breach: Breach, text: string): Violation => ({ breach, text });
