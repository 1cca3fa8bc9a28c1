import { sentTarget } from '../../../src/sources/request/sent-target';
import { withoutToken } from '../../../src/sources/directory/source-token';

const TOKEN = 'a-secret-token';

describe('what a producer put behind the token', () => {
  it.each([
    ['', '', ''],
    ['/', '/', ''],
    ['/a%20b//c?x=%00&y', '/a%20b//c', '?x=%00&y'],
    ['?x=/in/y', '', '?x=/in/y'],
    ['/a?#b', '/a', '?'],
  ])('is in %j as sent, however the URL spells what is before it', (rest, path, query) => {
    for (const before of [
      '/in/',
      '/%69n/',
      '/i%6E/',
      'http://other.example/in/',
      'https://other.example:8080/%69%6e/',
    ]) {
      expect(sentTarget(`${before}${TOKEN}${rest}`)).toEqual({ path, query });
      expect(withoutToken(`${before}${TOKEN}${rest}`)).not.toContain(TOKEN);
    }
  });
});
