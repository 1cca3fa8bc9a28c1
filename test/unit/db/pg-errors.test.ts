import { connect } from 'node:net';
import { classifyPgError, isWorthWaitingFor } from '../../../src/db/pg-errors';

const withCode = (code: string, more: object = {}): Error => Object.assign(new Error(code), { code, ...more });

describe('a connection to PostgreSQL that cannot be made', () => {
  it.each([
    withCode('EMFILE', { syscall: 'connect' }),
    withCode('ENETUNREACH', { syscall: 'connect' }),
    withCode('EADDRNOTAVAIL', { syscall: 'connect' }),
    withCode('EAI_FAIL', { syscall: 'getaddrinfo' }),
    withCode('EPROTO'),
    new Error('The server does not support SSL connections'),
    new Error('There was an error establishing an SSL connection'),
    withCode('CERT_HAS_EXPIRED'),
    withCode('ERR_TLS_CERT_ALTNAME_INVALID'),
    withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    withCode('SELF_SIGNED_CERT_IN_CHAIN'),
  ])('is worth waiting for: %s', (error) => {
    expect([classifyPgError(error), isWorthWaitingFor(error)]).toEqual(['unavailable', true]);
  });

  it('is known by what Node says of it', async () => {
    const error = await new Promise<Error>((resolve) => connect(1, '127.0.0.1').once('error', resolve));
    expect(classifyPgError(error)).toBe('unavailable');
  });

  it('is told from a file that may not be opened, and from a fault of the statement', () => {
    expect(classifyPgError(withCode('EACCES', { syscall: 'open' }))).toBe('unexpected');
    expect(isWorthWaitingFor(withCode('42P01'))).toBe(false);
  });
});
