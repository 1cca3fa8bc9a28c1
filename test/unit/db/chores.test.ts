import { overdueChores, type ChoreRecord } from '../../../src/db/retention/chores';

const record = (fields: Partial<ChoreRecord>): ChoreRecord => ({
  name: 'retention',
  ageSeconds: 0,
  putOffSeconds: null,
  errorCode: null,
  ...fields,
});
const overdue = (fields: Partial<ChoreRecord>) => overdueChores([record(fields)]);

describe('a chore is overdue', () => {
  it('when it has not succeeded for three of its intervals', () => {
    expect(overdue({ ageSeconds: 1_800 })).toEqual([]);
    expect(overdue({ ageSeconds: 1_860 })).toEqual([
      { name: 'retention', overdueSeconds: 60, why: 'has not succeeded for 31 min' },
    ]);
  });

  it('after three minutes at the earliest, since it is recorded once a minute', () => {
    expect(overdue({ name: 'due-retries', ageSeconds: 180 })).toEqual([]);
    expect(overdue({ name: 'due-retries', ageSeconds: 181 })).toMatchObject([{ overdueSeconds: 1 }]);
  });

  it('with the SQLSTATE of its last failure', () => {
    expect(overdue({ ageSeconds: 3_600, errorCode: '42501' })).toMatchObject([
      { why: 'has not succeeded for 60 min (SQLSTATE 42501)' },
    ]);
  });

  it('when it has waited for locks of others for a day, as it may during a dump', () => {
    expect(overdue({ putOffSeconds: 86_400 })).toEqual([]);
    expect(overdue({ putOffSeconds: 90_000 })).toEqual([
      { name: 'retention', overdueSeconds: 3_600, why: 'waits for locks of other sessions since 25 h' },
    ]);
  });

  it('only if this build knows it', () => {
    expect(overdue({ name: 'of-a-newer-build', ageSeconds: 1e9 })).toEqual([]);
  });
});
