import {
  MANY,
  MOST_CONDITIONS,
  readingOf,
  type Condition,
  type Observation,
} from '../../../src/operator-events/condition';
import { decideConditions, MOST_SINGLE, type Change } from '../../../src/operator-events/decide-conditions';

const CLEAR_AFTER_SECONDS = 60;
const SINCE = '2026-01-01T00:00:00.000Z';

const observed = (subject: string, verdict: Observation['verdict'] = 'holds'): Observation => ({
  subject,
  verdict,
  tenantId: 'acme',
  name: subject,
  since: SINCE,
  figures: {},
});
const raised = (subject: string, fields: Partial<Condition> = {}): Condition => ({
  subject,
  tenantId: 'acme',
  name: subject,
  state: 'raised',
  incident: 'i',
  since: SINCE,
  clearingSeconds: null,
  isFlapping: false,
  ...fields,
});
const told = (changes: readonly Change[]): string[] =>
  changes.map((change) => {
    if (change.kind === 'raise-many') return `raise-many ${change.observations.length}`;
    return `${change.kind} ${'condition' in change ? change.condition.subject : change.observation.subject}`;
  });
const decide = (before: readonly Condition[], now: readonly Observation[]): string[] =>
  told(decideConditions(before, readingOf(now), CLEAR_AFTER_SECONDS));
const subjects = (count: number, first = 0): string[] => Array.from({ length: count }, (_, i) => `d${first + i}`);

describe('a condition', () => {
  it.each<[string, Condition[], Observation[], string[]]>([
    ['is raised when it holds', [], [observed('a')], ['raise a']],
    ['is not raised by half of what raises it', [], [observed('a', 'between')], []],
    ['is not raised again while it holds', [raised('a')], [observed('a')], []],
    ['stays raised between the thresholds', [raised('a')], [observed('a', 'between')], []],
    ['begins to fade when it is not observed', [raised('a')], [], ['fade a']],
    ['fades for a while', [raised('a', { clearingSeconds: 59 })], [], []],
    ['is cleared after that', [raised('a', { clearingSeconds: 60 })], [], ['clear a']],
    [
      'holds again when it comes back while it fades',
      [raised('a', { clearingSeconds: 59 })],
      [observed('a')],
      ['hold a'],
    ],
    [
      'does not fade between the thresholds',
      [raised('a', { clearingSeconds: 99 })],
      [observed('a', 'between')],
      ['hold a'],
    ],
    ['is held for longer when it is flapping', [raised('a', { clearingSeconds: 1_799, isFlapping: true })], [], []],
    [
      'is cleared when it has been stable',
      [raised('a', { clearingSeconds: 1_800, isFlapping: true })],
      [],
      ['clear a'],
    ],
    [
      'begins to be stable anew with each break',
      [raised('a', { clearingSeconds: 1_799, isFlapping: true })],
      [observed('a')],
      ['hold a'],
    ],
    ['says nothing of the others', [raised('a')], [observed('a'), observed('b')], ['raise b']],
  ])('%s', (_, before, now, changes) => {
    expect(decide(before, now)).toEqual(changes);
  });
});

describe('a reading that is cut', () => {
  const decideCut = (before: readonly Condition[], now: readonly Observation[]): string[] =>
    told(decideConditions(before, readingOf(now, now.length), CLEAR_AFTER_SECONDS));

  it('clears nothing that it does not show, and raises what it shows', () => {
    const before = [raised('a'), raised('b', { clearingSeconds: 99 })];
    expect(decideCut(before, [observed('c')])).toEqual(['hold b', 'raise c']);
    expect(decide(before, [observed('c')])).toEqual(['fade a', 'clear b', 'raise c']);
  });

  it('stores no more conditions than are read again', () => {
    const before = [
      raised(MANY),
      ...subjects(MOST_CONDITIONS - 2).map((subject) => raised(subject, { state: 'joined' })),
    ];
    expect(decideCut(before, [observed('e'), observed('f')])).toEqual([]);
    expect(decideCut(before.slice(0, -1), [observed('e'), observed('f')])).toEqual(['join e']);
  });
});

describe('many conditions of a kind', () => {
  const joined = (subject: string, fields: Partial<Condition> = {}) => raised(subject, { state: 'joined', ...fields });

  it('are one event when they come at once', () => {
    const changes = decide(
      [],
      subjects(500).map((subject) => observed(subject)),
    );
    expect(changes.filter((change) => !change.startsWith('join'))).toEqual(['raise-many 500']);
    expect(changes).toHaveLength(501);
  });

  it('are told one by one up to a number', () => {
    const few = subjects(MOST_SINGLE).map((subject) => observed(subject));
    expect(decide([], few)).toEqual(few.map(({ subject }) => `raise ${subject}`));
    expect(
      decide(
        few.map(({ subject }) => raised(subject)),
        [...few, observed('e')],
      ),
    ).toEqual(['join e', 'raise-many 1']);
  });

  it('join without another event while one stands for them', () => {
    const before = [raised(MANY), ...subjects(20).map((subject) => joined(subject))];
    const now = subjects(20).map((subject) => observed(subject));
    expect(decide(before, [...now, observed('e')])).toEqual(['join e']);
  });

  it('are told one by one again when few of them are left', () => {
    expect(decide([raised(MANY), joined('a')], [observed('a'), observed('e')])).toEqual(['raise e']);
  });

  it('leave without an event, and the last one clears the event that stood for them', () => {
    const before = [raised(MANY), joined('a', { clearingSeconds: 60 }), joined('b')];
    expect(decide(before, [observed('b')])).toEqual(['leave a']);
    expect(decide([raised(MANY), joined('b', { clearingSeconds: 60 })], [])).toEqual(['leave b', `clear ${MANY}`]);
  });

  it('hold the event that stands for them when it is flapping', () => {
    const many = (fields: Partial<Condition> = {}) => raised(MANY, { isFlapping: true, ...fields });
    expect(decide([many()], [])).toEqual([`fade ${MANY}`]);
    expect(decide([many({ clearingSeconds: 1_799 })], [])).toEqual([]);
    expect(decide([many({ clearingSeconds: 1_800 })], [])).toEqual([`clear ${MANY}`]);
    expect(decide([many({ clearingSeconds: 9 }), joined('a')], [observed('a')])).toEqual([`hold ${MANY}`]);
  });

  it('keep the event when others join as the last one leaves', () => {
    const before = [raised(MANY), joined('a', { clearingSeconds: 60 })];
    const now = subjects(MOST_SINGLE + 1).map((subject) => observed(subject));
    expect(decide(before, now)).toEqual(['leave a', ...now.map(({ subject }) => `join ${subject}`)]);
  });
});
