import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { connectionOf, isReadableOnTheWay, originOf } from '../../../src/cli/connection/connection';
import { operatorHeaders, tenantHeaders } from '../../../src/cli/connection/credentials';
import { parseProfiles, profilePath, readProfiles, writeProfiles } from '../../../src/cli/connection/profile-file';

const FILE = {
  current: 'shop',
  profiles: {
    shop: { url: 'https://shop.example', token: 'sfa_shop', key: 'sfk_shop', tenant: 'shop' },
    test: { url: 'http://127.0.0.1:3000', token: 'sfa_test' },
  },
};

describe('the connection', () => {
  it('is that of the current profile', () => {
    expect(connectionOf({}, {}, FILE)).toEqual({
      url: 'https://shop.example',
      token: 'sfa_shop',
      key: 'sfk_shop',
      tenant: 'shop',
      profile: 'shop',
    });
  });

  it('takes the environment before the profile, and the command line before both', () => {
    const env = { STREAMFORGE_TOKEN: 'sfa_env', STREAMFORGE_TENANT: 'env', STREAMFORGE_PROFILE: 'test' };
    expect(connectionOf({}, env, FILE)).toMatchObject({ profile: 'test', token: 'sfa_env', tenant: 'env' });
    expect(connectionOf({ profile: 'shop', tenant: 'line' }, env, FILE)).toMatchObject({
      url: 'https://shop.example',
      token: 'sfa_env',
      tenant: 'line',
    });
  });

  it.each([{ url: 'https://other.example' }, { url: 'http://shop.example' }, { url: 'https://shop.example:8443' }])(
    'never sends the credentials of a profile to another URL: %j',
    (named) => {
      expect(connectionOf(named, {}, FILE)).toMatchObject({ token: undefined, key: undefined, tenant: 'shop' });
      expect(connectionOf({}, { STREAMFORGE_URL: named.url }, FILE)).toMatchObject({
        token: undefined,
        key: undefined,
      });
    },
  );

  it('is that of this machine without a profile, and takes an empty variable for none', () => {
    expect(connectionOf({}, { STREAMFORGE_URL: '', STREAMFORGE_TOKEN: '' }, { profiles: {} })).toMatchObject({
      url: 'http://127.0.0.1:3000',
      token: undefined,
    });
  });

  it.each(['nobody', 'constructor', '__proto__'])('names the profiles that there are when %s is none', (profile) => {
    expect(() => connectionOf({ profile }, {}, FILE)).toThrow(
      `There is no profile "${profile}". There are: shop, test.`,
    );
  });

  it.each(['shop.example', 'ftp://shop.example', 'https://user:password@shop.example', ''])(
    'refuses %j as a URL, and does not repeat a password',
    (url) => {
      expect(() => originOf(url)).toThrow(/no URL|credentials/);
      expect(() => originOf(url)).not.toThrow(/password/);
    },
  );

  it('keeps the path of an installation behind a proxy', () => {
    expect(originOf('https://example.com/streamforge/')).toBe('https://example.com/streamforge');
  });

  it.each([
    ['http://127.0.0.1:3000', false],
    ['http://localhost', false],
    ['http://[::1]:3000', false],
    ['https://shop.example', false],
    ['http://shop.example', true],
    ['http://127.evil.example', true],
  ])('over %s is readable on the way: %s', (url, readable) => {
    expect(isReadableOnTheWay(url)).toBe(readable);
  });

  it('sends ADMIN_TOKEN and operator tokens in X-Admin-Token, and a token of an issuer as Bearer', () => {
    expect(operatorHeaders('sfa_x')).toEqual({ 'x-admin-token': 'sfa_x' });
    expect(operatorHeaders('any-thing.of.four.parts')).toEqual({ 'x-admin-token': 'any-thing.of.four.parts' });
    expect(operatorHeaders('eyJh.eyJz.c2ln')).toEqual({ authorization: 'Bearer eyJh.eyJz.c2ln' });
    expect(tenantHeaders('sfk_x', undefined)).toEqual({ 'x-api-key': 'sfk_x' });
    expect(tenantHeaders(undefined, 'acme')).toEqual({ 'x-tenant-id': 'acme' });
  });
});

describe('the file of the profiles', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-profiles-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  it('is in the XDG folder, or else in .config', () => {
    expect(profilePath({ XDG_CONFIG_HOME: '/x', HOME: '/home/ada' })).toBe('/x/streamforge/profiles.json');
    expect(profilePath({ XDG_CONFIG_HOME: 'relative', HOME: '/home/ada' })).toBe(
      '/home/ada/.config/streamforge/profiles.json',
    );
  });

  it('comes back as it was written, and only its owner can read it', () => {
    const file = path.join(folder, 'a', 'profiles.json');
    writeProfiles(file, FILE);
    writeProfiles(file, FILE);
    expect(readProfiles(file)).toEqual(FILE);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(path.dirname(file))).toEqual(['profiles.json']);
  });

  it('is empty before there is one', () => {
    expect(readProfiles(path.join(folder, 'none.json'))).toEqual({ profiles: {} });
  });

  it.each(['', '[]', 'null', '{"profiles":1}', '{"profiles":{"a":{"token":7}}}'])(
    'is refused with its name: %s',
    (text) => {
      expect(() => parseProfiles(text, '/x/profiles.json')).toThrow(/^\/x\/profiles\.json/);
    },
  );
});
