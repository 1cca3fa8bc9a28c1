import type { Evidence, RolledUp } from '../../verify/evidence/evidence';
import { checkRolledUp } from '../../verify/oracle/rolled-up';
import { attempt, DELIVERED, deliveryAttempt, deliveryTo, evidence, NORTH, storedAs } from './given';

const HTTP_500 = deliveryAttempt({ reasonCode: 'HTTP_5XX', isFailure: true });
const rejection = {
  tenant: 'north',
  sourceId: 'a-source',
  type: null,
  code: 'invalid-event',
  recordNumber: 1,
  correlationId: 'c',
  sizeBytes: 1,
  digest: '',
  body: '',
  isErased: false,
};

const found = (given: Evidence): string[] => checkRolledUp(given).map(({ text }) => text);
const sums = ({ rolledUp }: Evidence): string[] =>
  rolledUp.map(({ measure, dimension, tenant, key }) => `${measure} ${dimension} ${tenant} ${key}`);
const changed = (change: (rows: readonly RolledUp[]) => RolledUp[]): Evidence => {
  const given = evidence({ rejections: [rejection] });
  return { ...given, rolledUp: change(given.rolledUp) };
};

describe('the oracle, on the roll-up of metrics', () => {
  it('expects each event, delivery and rejection once in each dimension', () => {
    const given = evidence({ rejections: [rejection] });
    expect(found(given)).toEqual([]);
    expect(sums(given).filter((sum) => sum.includes('north'))).toEqual([
      'accepted tenant north north',
      'accepted source north ',
      'accepted type north order.paid',
      'completed tenant north north',
      'completed source north ',
      'completed type north order.paid',
      'rejected tenant north north',
      'rejected source north a-source',
      'rejected type north ',
      'rejected code north invalid-event',
    ]);
    expect(sums(given)).toContain('delivered destination delivered all');
  });

  it('expects no event as completed before its deliveries have arrived, nor because of an erasure', () => {
    for (const fields of [
      { status: 'OPEN', settledMs: null },
      { status: 'SKIPPED', reasonCode: 'ERASED' },
    ] as const) {
      const given = evidence({ stored: [storedAs(DELIVERED, { deliveries: [deliveryTo('all', [], fields)] })] });
      expect(sums(given).filter((sum) => sum.startsWith('completed'))).toEqual([]);
    }
    const failed = deliveryTo('all', [HTTP_500], { status: 'FAILED' });
    const later = deliveryTo('all', undefined, { generation: 2, isBackfilled: true });
    const replaced = evidence({ stored: [storedAs(DELIVERED, { deliveries: [failed, later] })] });
    expect(sums(replaced)).toEqual(
      expect.arrayContaining(['completed tenant delivered delivered', 'failed code delivered HTTP_5XX']),
    );
    const again = evidence({
      stored: [storedAs(NORTH, { attempts: [attempt(), attempt({ generation: 2, atMs: 9_000 })] })],
    });
    expect(sums(again).filter((sum) => sum.startsWith('completed tenant'))).toHaveLength(1);
  });

  it.each<[string, (rows: readonly RolledUp[]) => RolledUp[]]>([
    ['what is missing', (rows) => rows.slice(1)],
    ['what counts twice', (rows) => [...rows, ...rows.slice(0, 1)]],
    ['what counts for another tenant', (rows) => rows.map((row, i) => (i === 0 ? { ...row, tenant: 'south' } : row))],
    [
      'keys that should have counts of their own',
      (rows) => rows.map((row, i) => (i === 0 ? { ...row, key: null } : row)),
    ],
    ['a wrong latency', (rows) => rows.map((row) => ({ ...row, bucket: row.bucket && row.bucket + 1 }))],
  ])('notices %s', (_, change) => {
    expect(found(changed(change))).not.toEqual([]);
  });
});
