import { parseSettings } from '../../../src/config/parse-settings';
import { readDatabaseUrl } from '../../../src/config/urls/database-url';

const BASE = 'postgres://app:secret@db.example.com:5432/streamforge';

const addressOf = (url: string) => {
  const read = readDatabaseUrl(url);
  if ('expected' in read) throw new Error(read.expected);
  return read.value;
};
const expectedOf = (url: string): string => {
  const read = readDatabaseUrl(url);
  return 'expected' in read ? read.expected : 'nothing';
};

describe('DATABASE_URL', () => {
  it.each([
    '',
    '?sslmode=verify-full',
    '?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&sslcert=/c&sslkey=/k',
    '?sslmode=no-verify',
    '?ssl=true',
    '?uselibpqcompat=true&sslmode=require',
    '?host=/var/run/postgresql&port=5433&user=a&password=b%2Bc',
  ])('reaches pg unchanged with %p', (query) => {
    expect(addressOf(BASE + query)).toMatchObject({ url: BASE + query, applicationName: undefined });
  });

  it('keeps what we carry out ourselves from pg, and every other byte for it', () => {
    const url =
      'postgres://app:p%40ss%3Fw,rd@db/x?sslmode=require&options=-c%20search_path%3Dapp&host=%2Frun&connect_timeout=7';
    expect(addressOf(url)).toMatchObject({
      url: 'postgres://app:p%40ss%3Fw,rd@db/x?sslmode=require&host=%2Frun',
      connectTimeoutMs: 7_000,
    });
    expect(
      addressOf(`${BASE}?application_name=billing%20team&target_session_attrs=any&query_timeout=1000`),
    ).toMatchObject({
      url: BASE,
      applicationName: 'billing team',
      queryTimeoutMs: 1_000,
    });
  });

  it.each([
    ['-c search_path=app', { search_path: 'app' }],
    ['-csearch_path=app,public  --Work-Mem=8MB', { search_path: 'app,public', work_mem: '8MB' }],
    ['-c search_path="My\\ App"', { search_path: '"My App"' }],
    ['-c a.b=x=y', { 'a.b': 'x=y' }],
    ['', {}],
  ])('reads the options %p as PostgreSQL does', (options, settings) => {
    const { sessionSettings } = addressOf(`${BASE}?options=${encodeURIComponent(options)}`);
    expect(Object.fromEntries(sessionSettings)).toEqual(settings);
  });

  it.each(['-e', '-c', '-c search_path', 'search_path=app', '-c =x', '-c a=b c'])(
    'refuses the options %p',
    (options) => {
      expect(expectedOf(`${BASE}?options=${encodeURIComponent(options)}`)).toMatch(/of the form -c name=value/);
    },
  );

  it.each([
    ['?target_session_attrs=read-write', /target_session_attrs: there is one host/],
    ['?channel_binding=require', /channel_binding: pg cannot require it/],
    ['?sslmode=allow', /sslmode: supported are disable, prefer/],
    ['?ssl=false', /of ssl: supported are true/],
    ['?sslcrl=/x', /without the option sslcrl/],
    ['?statement_timeout=1000', /without the option statement_timeout/],
    ['?pgbouncer=true', /without the option pgbouncer/],
    ['?constructor=1', /without the option constructor/],
    ['?client_encoding=LATIN1', /client_encoding: sessions use UTF8/],
    ['?connect_timeout=0', /from 1 to 600/],
    ['?connect_timeout=soon', /from 1 to 600/],
    ['?query_timeout=35001', /from 1 to 35000/],
    ['?options=-c%20a=1&options=-c%20b=1', /gives options once/],
    ['?host=a,b', /one host/],
  ])('names what it refuses in %p', (query, expected) => {
    expect(expectedOf(BASE + query)).toMatch(expected);
  });

  it.each([
    'postgres://app@a:5432,b:5432/x',
    'postgresql://a,b/x?target_session_attrs=primary',
    'postgres://app:p@ss@a,b/x',
  ])('refuses several hosts: %s', (url) => {
    expect(expectedOf(url)).toMatch(/one host/);
  });

  it('is refused with a sentence that names the setting and the option, without the password', () => {
    const problem = () => parseSettings({ DATABASE_URL: `${BASE}?target_session_attrs=standby` });
    expect(problem).toThrow(/- DATABASE_URL: expected a URL without this value of target_session_attrs: /);
    expect(problem).not.toThrow(/secret/);
  });
});
