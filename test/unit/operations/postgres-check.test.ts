import { FAILURE_CLASSES } from '../../../src/db/failure-classes';
import { withOutage } from '../../../src/operations/readiness';

const outage = (name: string) => FAILURE_CLASSES.find((one) => one.name === name);

describe('the check of PostgreSQL', () => {
  it('stays as it is while statements succeed', () => {
    expect(withOutage({ status: 'up' }, undefined)).toEqual({ status: 'up' });
  });

  it('is down if statements have met a state in which no event can be stored', () => {
    expect(withOutage({ status: 'up' }, outage('disk-full'))).toEqual({ status: 'down', message: 'has no disk space' });
  });

  it('names what only some statements have met', () => {
    expect(withOutage({ status: 'up' }, outage('right-missing'))).toEqual({
      status: 'up',
      message: 'some statements fail: it refuses a right',
    });
  });

  it('keeps its own message if it is down', () => {
    const down = { status: 'down', message: 'is read-only' } as const;
    expect(withOutage(down, outage('disk-full'))).toBe(down);
  });
});
