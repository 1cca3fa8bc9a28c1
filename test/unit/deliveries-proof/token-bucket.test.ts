import { sometimesBusy, tokenBucket } from '../../deliveries-proof/token-bucket';

describe('a receiver with a token bucket', () => {
  it('takes what it has and then its rate', () => {
    const answer = tokenBucket(5, { retryAfter: false, atOnce: 2 });
    const statuses = [0, 0, 0, 100, 200, 201, 1_200, 1_200, 1_200].map((ms) => answer(ms).status);
    expect(statuses).toEqual([204, 204, 429, 429, 204, 429, 204, 204, 429]);
  });

  it('asks for a second where it is to say how long', () => {
    const answer = tokenBucket(5, { retryAfter: true, atOnce: 1 });
    expect([answer(0), answer(0)]).toEqual([{ status: 204 }, { status: 429, headers: { 'retry-after': '1' } }]);
  });

  it('refuses a share at random', () => {
    const numbers = [0.5, 0.01];
    const answer = sometimesBusy(0.04, tokenBucket(5, { retryAfter: false, atOnce: 9 }), () => numbers.shift() ?? 1);
    expect([0, 0, 0].map((ms) => answer(ms).status)).toEqual([204, 429, 204]);
  });
});
