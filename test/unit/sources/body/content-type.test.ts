import { readHeaderValue } from '../../../../src/sources/body/content-type';

const read = (text: string): unknown => {
  const header = readHeaderValue(text);
  return header && [header.value, Object.fromEntries(header.parameters)];
};

it.each([
  ['text/plain', ['text/plain', {}]],
  [' Text/Plain ; Charset=UTF-8 ', ['text/plain', { charset: 'UTF-8' }]],
  ['a;b="c;d";e=f', ['a', { b: 'c;d', e: 'f' }]],
  ['a;b="c" ignored;e=f', ['a', { b: 'c', e: 'f' }]],
  ['a; b="x\\"y\\\\z\\n"', ['a', { b: 'x"y\\z\\n' }]],
  ['a;b=1;b=2;B=3', ['a', { b: '1' }]],
  ['a;;b;c=', ['a', { b: '', c: '' }]],
  ['a;__proto__=1', ['a', JSON.parse('{"__proto__":"1"}')]],
  ['', ['', {}]],
  ['a;b="c', undefined],
  ['a;b="c\\"', undefined],
  ['a;b=c"d"', undefined],
])('reads %j', (text, expected) => {
  expect(read(text)).toEqual(expected);
});

it('takes linear time', () => {
  for (const text of ['\\"', ';', ' ', '=', '"', 'a', ';a', '; ']) {
    const before = process.cpuUsage();
    readHeaderValue(`a;b="${text.repeat(100_000)}`);
    readHeaderValue(`a;b${text.repeat(100_000)}`);
    expect(process.cpuUsage(before).user).toBeLessThan(30_000_000);
  }
});
