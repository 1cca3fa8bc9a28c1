import { storedMessage } from '../../../src/event-state/stored-message';

describe('a message of the audit', () => {
  it.each([
    ['connect to amqp://bob:hunter2@mq:5672 failed', 'connect to amqp://***@mq:5672 failed'],
    ['Authorization: Bearer abc.def-123', 'Authorization: Bearer ***'],
    ['Basic dXNlcjpwYXNz was refused', 'Basic *** was refused'],
    ['{"password":"hunter2","user":"bob"}', '{"password":"***","user":"bob"}'],
    ['GET /x?token=abc123&page=2', 'GET /x?token=***&page=2'],
    ['the secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'the secret whsec_***'],
    ['HTTP 503 from https://shop.example/hooks', 'HTTP 503 from https://shop.example/hooks'],
    ['the token expired', 'the token expired'],
  ])('%s → %s', (text, expected) => {
    expect(storedMessage(text)).toBe(expected);
  });

  it('is bounded and can be stored', () => {
    expect(storedMessage('x'.repeat(100_000))).toHaveLength(1_000);
    expect(storedMessage('binary \0 \ud800 end')).toBe('binary   \ufffd end');
  });
});
