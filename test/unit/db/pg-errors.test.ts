import { connect } from 'node:net';
import { FAILURE_CLASSES } from '../../../src/db/failure-classes';
import { classifyPgError, failureClassOf, isWaitedForAtStart, isWorthWaitingFor } from '../../../src/db/pg-errors';

const withCode = (code: string, more: object = {}): Error => Object.assign(new Error(code), { code, ...more });

describe('a connection to PostgreSQL that cannot be made', () => {
  it.each([
    withCode('EMFILE', { syscall: 'connect' }),
    withCode('ENETUNREACH', { syscall: 'connect' }),
    withCode('EADDRNOTAVAIL', { syscall: 'connect' }),
    withCode('EAI_FAIL', { syscall: 'getaddrinfo' }),
    withCode('ENOENT', { syscall: 'connect' }), // the directory of a Unix socket
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
    expect(classifyPgError(withCode('ENOENT', { syscall: 'open' }))).toBe('unexpected');
    expect(classifyPgError(withCode('ENOENT'))).toBe('unexpected');
    expect(isWorthWaitingFor(withCode('42703'))).toBe(false);
  });
});

describe('the table of failures', () => {
  it.each([
    ['22P02', 'content'],
    ['40P01', 'contention'],
    ['08006', 'connection-lost'],
    ['25006', 'read-only'],
    ['53100', 'disk-full'],
    ['53200', 'no-resources'],
    ['53300', 'no-connections'],
    ['57014', 'cancelled'],
    ['57P01', 'stopped'],
    ['57P03', 'stopped'],
    ['57P04', 'being-replaced'],
    ['58030', 'system-error'],
    ['28P01', 'access-refused'],
    ['42501', 'right-missing'],
    ['42P01', 'being-replaced'],
    ['3D000', 'being-replaced'],
    ['42601', undefined],
    ['42703', undefined],
    ['XX000', undefined],
    ['25P02', undefined],
  ])('names the class of %s: %s', (code, name) => {
    expect(failureClassOf(withCode(code))?.name).toBe(name);
  });

  it('lists each code once', () => {
    const codes = FAILURE_CLASSES.flatMap((one) => one.codes);
    expect(codes).toEqual([...new Set(codes)]);
  });

  it('lets a start wait for a server, and end where the set-up is more likely at fault', () => {
    expect(['ECONNREFUSED', '57P03', '53300', '25006'].map((code) => isWaitedForAtStart(withCode(code)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['28P01', '3D000', '42P01', '42501', '42601'].map((code) => isWaitedForAtStart(withCode(code)))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
