import { takeInTurns } from '../../../src/worker/consume/take-in-turns';
import type { WorkItem } from '../../../src/worker/work-item';

/** 'a1' is the first event of tenant a. */
const items = (...names: string[]): WorkItem[] =>
  names.map((name) => ({ event: { id: name, tenantId: name.charAt(0) } }) as WorkItem);
const namesOf = (of: readonly WorkItem[]): string[] => of.map(({ event }) => event.id);

describe('takeInTurns', () => {
  it('takes all of them if they fit', () => {
    const waiting = items('a1', 'b1');
    expect(namesOf(takeInTurns(waiting, 2))).toEqual(['a1', 'b1']);
    expect(waiting).toEqual([]);
  });

  it('takes the events of a tenant before the backlog of another that came earlier', () => {
    const waiting = items('a1', 'a2', 'a3', 'a4', 'b1', 'a5', 'c1', 'b2');
    expect(namesOf(takeInTurns(waiting, 4))).toEqual(['a1', 'a2', 'b1', 'c1']);
    expect(namesOf(waiting)).toEqual(['a3', 'a4', 'a5', 'b2']);
    expect(namesOf(takeInTurns(waiting, 3))).toEqual(['a3', 'a4', 'b2']);
    expect(namesOf(takeInTurns(waiting, 3))).toEqual(['a5']);
  });

  it('takes the oldest events of a single tenant', () => {
    const waiting = items('a1', 'a2', 'a3');
    expect(namesOf(takeInTurns(waiting, 2))).toEqual(['a1', 'a2']);
    expect(namesOf(waiting)).toEqual(['a3']);
  });
});
