import { withoutLostMessages, type FailureOfDelivery } from '../../../src/delivery-state/settle-with-health';

const failure = (eventId: string, generation = 1): FailureOfDelivery => ({
  ...{ eventId, destinationId: 'd', generation, effect: 'same', reasonCode: 'HTTP_5XX', statusCode: 500 },
  error: `said of ${eventId}`,
});

describe('the messages of failures', () => {
  it('stay when their attempts were settled', () => {
    const failures = [failure('a'), failure('b')];
    expect(withoutLostMessages(failures, failures)).toEqual(failures);
  });

  it('are left out when the lease was lost, as to an erasure, and the failure still counts', () => {
    const kept = withoutLostMessages([failure('a'), failure('b')], [failure('b')]);
    expect(kept).toEqual([{ ...failure('a'), error: null }, failure('b')]);
  });

  it('are left out when only another generation of the delivery was settled', () => {
    expect(withoutLostMessages([failure('a', 1)], [failure('a', 2)])).toEqual([{ ...failure('a', 1), error: null }]);
  });
});
