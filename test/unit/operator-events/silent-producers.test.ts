import type { Condition } from '../../../src/operator-events/condition';
import { decideConditions } from '../../../src/operator-events/decide-conditions';
import { silenceReading } from '../../../src/operator-events/silent-producers';
import type { Silence } from '../../../src/silence/judge-silence';
import { MOST_LEARNING, MOST_PRODUCERS, type Producer } from '../../../src/silence/silence-rule';

const MINUTE_MS = 60_000;
const SINCE = '2026-01-01T00:00:30.000Z';
const SINCE_MS = Date.parse(SINCE);

const till: Producer = {
  subject: 'till',
  tenantId: 'acme',
  name: 'till',
  expectEverySeconds: 60,
  activeHours: null,
  learnSilence: false,
  heardMs: SINCE_MS,
  changedMs: SINCE_MS - MINUTE_MS,
  beganMs: SINCE_MS - MINUTE_MS,
  nowMs: SINCE_MS + 10 * MINUTE_MS,
};
const raised: Condition = {
  subject: 'till',
  tenantId: 'acme',
  name: 'till',
  state: 'raised',
  incident: 'i',
  since: SINCE,
  clearingSeconds: null,
  isFlapping: false,
};
const silence: Silence = {
  producer: till,
  sinceMs: SINCE_MS,
  silentSeconds: 600,
  expectEverySeconds: 60,
  usualSeconds: null,
};
const changes = (producers: Producer[], silent: Silence[] = [], before: Condition[] = [raised]): string[] =>
  decideConditions(before, silenceReading(producers, silent, before), 60).map(({ kind }) => kind);

describe('a silence that is raised', () => {
  it.each<[string, Partial<Producer>]>([
    ['the samples were lost, so that it begins with the start of PostgreSQL', { heardMs: null, beganMs: till.nowMs }],
    ['nobody looked, so that it begins later', { beganMs: till.nowMs }],
    ['something came in the minute in which it began', { heardMs: SINCE_MS + 29_000 }],
  ])('stays although %s', (_, fields) => {
    expect(changes([{ ...till, ...fields }])).toEqual([]);
  });

  it.each<[string, Producer[]]>([
    ['something came', [{ ...till, heardMs: till.nowMs }]],
    ['the rule was changed', [{ ...till, changedMs: till.nowMs }]],
    ['nothing is expected any more', []],
  ])('ends when %s', (_, producers) => {
    expect(changes(producers)).toEqual(['fade']);
  });

  it('ends also with as many producers as are read, unless very many are raised', () => {
    const others = Array.from({ length: MOST_PRODUCERS - 1 }, (_, i) => ({ ...till, subject: `s${i}` }));
    expect(changes([{ ...till, heardMs: till.nowMs }, ...others])).toEqual(['fade']);
    const many = others.slice(0, MOST_PRODUCERS - MOST_LEARNING).map(({ subject }) => ({ ...raised, subject }));
    expect(changes([], [], [raised, ...many])).toEqual([]);
  });

  it('is one that was found', () => {
    expect(changes([till], [silence], [])).toEqual(['raise']);
    expect(changes([till], [silence])).toEqual([]);
  });
});
