import { parseBody } from '../../../../src/sources/body/parse-body';

const MB = 1_048_576;
/** A busy machine needs up to 4 s for the dearest body; work that grows with the square of 1 MB takes minutes. */
const CPU_LIMIT_MS = 15_000;
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=b';
const part = (content: string): string => `--b\r\nContent-Disposition: form-data; name=a\r\n\r\n${content}\r\n`;
const times = (text: string, bytes = MB): string => text.repeat(bytes / text.length);

/** Bodies of 1 MB, 4 times the default limit, in which each format has to do the most work. */
const BODIES: [string, string, string][] = [
  ['open arrays', 'application/json', times('[')],
  ['open objects', 'application/json', times('{"a":')],
  ['nested arrays', 'application/json', times('[', MB / 2) + times(']', MB / 2)],
  ['nested arrays as text', 'text/plain', times('[', MB / 2) + times(']', MB / 2)],
  ['many empty arrays', 'application/json', `[${times('[],')}[]]`],
  ['a string of quotes', 'application/json', `"${times('\\"')}"`],
  ['a string of backslashes', 'application/json', `"${times('\\\\')}"`],
  ['a number', 'application/json', times('1')],
  ['white space', 'text/plain', times(' ')],
  ['control characters', 'text/plain', times('\x01')],
  ['a bracket and what is not JSON', 'text/plain', `[${times('x')}`],
  ['bytes', 'image/png', times('\0')],
  ['100,000 keys', FORM, Array.from({ length: 100_000 }, (_, i) => `key${i}=${i}`).join('&')],
  ['separators', FORM, times('&')],
  ['escapes', FORM, times('%41')],
  ['invalid escapes', FORM, times('%')],
  ['one field', FORM, `a=${times('x')}`],
  ['a long name', FORM, times('x')],
  ['boundaries', MULTIPART, times('\r\n--b')],
  ['boundaries that go on', MULTIPART, times('\r\n--bc')],
  ['all but boundaries', MULTIPART, times('\r\n--') + part('') + '--b--'],
  ['one part', MULTIPART, `${part(times('x'))}--b--`],
  ['one line of headers', MULTIPART, `--b\r\n${times('x')}\r\n\r\n\r\n--b--`],
  ['many lines of headers', MULTIPART, `--b\r\n${times('x:y\r\n')}\r\n\r\n--b--`],
  ['folded headers', MULTIPART, `--b\r\nx:y\r\n${times(' x\r\n')}\r\n\r\n--b--`],
  ['a long boundary', `multipart/form-data; boundary=${'-'.repeat(70)}`, times('-')],
  ['a repeated boundary', `multipart/form-data; boundary=${'-'.repeat(70)}`, `\r\n--${times('-')}`],
  ['open elements', 'text/xml', times('<a>')],
  ['empty elements', 'text/xml', `<a>${times('<b/>')}</a>`],
  ['deep elements', 'text/xml', '<a>'.repeat(63) + times('<b>x</b>') + '</a>'.repeat(63)],
  ['long elements', 'text/xml', `${'<a>'.repeat(63)}${times('x')}${'</a>'.repeat(63)}`],
  ['attributes', 'text/xml', `<a>${times(`<b ${Array.from({ length: 250 }, (_, i) => `n${i}=""`).join(' ')}/>`)}</a>`],
  ['namespaces', 'text/xml', `<a xmlns:n="urn:x">${times('<n:b xmlns:n="urn:y" n:nil="true"/>')}</a>`],
  ['a tag without an end', 'text/xml', `<a ${times('x')}`],
  ['a comment without an end', 'text/xml', `<!--${times('-')}`],
  ['declarations', 'text/xml', `<?xml ${times(' encoding')}`],
  ['entities', 'text/xml', `<a>${times('&#65;')}</a>`],
  ['ampersands', 'text/xml', `<a>${times('&')}</a>`],
];

describe.each(BODIES)('%s', (_what, contentType, body) => {
  const bytes = Buffer.from(body);

  it('is read or refused within bounded time and memory', () => {
    const before = process.cpuUsage(); // wall time would be that of the other processes, too
    const parsed = parseBody(bytes, contentType);
    const { user, system } = process.cpuUsage(before);
    if ('rejection' in parsed) {
      expect(['malformed-body', 'invalid-event']).toContain(parsed.rejection.code);
      expect(parsed.rejection.message.length).toBeLessThan(400);
    } else {
      // JSON writes a control character as six characters.
      expect(JSON.parse(parsed.json)).toBeDefined();
      expect(parsed.json.length).toBeLessThan(7 * bytes.length);
    }
    expect((user + system) / 1_000).toBeLessThan(CPU_LIMIT_MS);
  });

  it('takes no more than in proportion when it is cut off', () => {
    for (const length of [1, 2, 3, 5, 100, 1_001, 65_537]) {
      const parsed = parseBody(bytes.subarray(0, length), contentType);
      if (!('rejection' in parsed)) expect(JSON.parse(parsed.json)).toBeDefined();
    }
  });
});

it('a field of 10 MB is read as it is', () => {
  const text = 'x'.repeat(10 * MB);
  expect(parseBody(Buffer.from(`a=${text}`), FORM)).toEqual({ json: `{"a":"${text}"}`, fromJson: false });
  expect(parseBody(Buffer.from(`${part(text)}--b--`), MULTIPART)).toEqual({ json: `{"a":"${text}"}`, fromJson: false });
});
