import { exactValue } from '../../../src/event/json/exact-value';

it('a value for a response is written with all digits of its numbers', () => {
  const text =
    '{"a":12345678901234567890,"b":[0.1,10.10,1e400,-5,10.123456789012345678],"__proto__":{"c":null},"d":"1"}';
  expect(JSON.stringify(exactValue(text))).toBe(text);
});
