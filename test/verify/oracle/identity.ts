import type { Evidence } from '../evidence/evidence';
import { entriesOf } from '../run/journal';
import { acknowledgedIds, answersIn } from './answers';
import { violation, type Violation } from './violation';

/** I2: each event is stored once and accepted once, and always has the same id. */
export function checkIdentity({ journal, stored, sent }: Evidence): Violation[] {
  const byName = Map.groupBy(stored, ({ name }) => name);
  const twice = [...byName].filter(([, events]) => events.length > 1);
  const unknown = [...byName.keys()].filter((name) => !sent.has(name));
  const twoIds = [...acknowledgedIds(journal)].filter(([, ids]) => ids.size > 1);
  return [
    ...twice.map(([name, events]) =>
      violation('doubled', `${name} is stored as ${events.map(({ id }) => id).join()}`, name),
    ),
    ...twoIds.map(([name, ids]) => violation('doubled', `${name} was answered with ${[...ids].join()}`, name)),
    ...unknown.map((name) =>
      violation('changed', `${name} is stored, although it was never sent or had to be rejected`, name),
    ),
    ...checkAccepted(journal, stored.length),
  ];
}

/** Exactly one response says `accepted`, however often an event is sent. */
function checkAccepted(journal: Evidence['journal'], stored: number): Violation[] {
  const told = answersIn(journal).flatMap((answer) => answer.told);
  const accepted = Map.groupBy(
    told.filter(({ outcome }) => outcome === 'accepted'),
    ({ name }) => name,
  );
  const twice = [...accepted].filter(([, answers]) => answers.length > 1);
  const inSummaries = entriesOf(journal, 'answered')
    .filter((answer) => answer.told.every(({ outcome }) => outcome !== 'accepted' && outcome !== 'duplicate'))
    .reduce((sum, { summary }) => sum + (summary?.accepted ?? 0), 0);
  const total = accepted.size + inSummaries;
  return [
    ...twice.map(([name, answers]) => violation('doubled', `${name} was accepted ${answers.length} times`, name)),
    ...(total > stored ? [violation('doubled', `${total} events were accepted, ${stored} are stored`)] : []),
  ];
}
