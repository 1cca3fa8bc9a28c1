import { checkSignedPlaces } from '../../../../src/sources/verification/signatures/signed-places';
import type { HmacVerification } from '../../../../src/sources/verification/verification';

type Rule = Pick<HmacVerification, 'signed' | 'each' | 'timestamp' | 'bodyDigest'>;

const timed = (time: { header?: string; part?: string; value?: string }) => ({
  timestamp: { ...time, toleranceSeconds: 300 },
});
const digest = (value: string) => ({ bodyDigest: { value, algorithm: 'sha256', encoding: 'hex' } as const });

/** The pointer of the fault; undefined if there is none. */
function faultOf(rule: Rule): string | undefined {
  try {
    checkSignedPlaces(rule);
    return undefined;
  } catch (error) {
    return (error as { pointer: string }).pointer;
  }
}

describe('the signed text', () => {
  it.each([
    '{body}',
    '{body:/a}',
    '{form}',
    '{lines:/Message,/Type?}',
    '{header:x-id}|{sha256}',
    '{crc32}',
    'v0:{method}{url}{body}',
  ])('may be %s', (signed) => {
    expect(faultOf({ signed })).toBeUndefined();
  });

  it.each(['nothing', '{header:x-time}', '{url}{method}', '{query:body}', 'body', '{path}'])(
    'must contain a part of the body: %s',
    (signed) => {
      expect(faultOf({ signed })).toBe('/signed');
    },
  );

  it('may contain a digest of the body in its place', () => {
    expect(faultOf({ signed: '{url}', ...digest('{query:bodySHA256}') })).toBeUndefined();
    expect(faultOf({ signed: '{header:x-time}{header:Digest}', ...digest('{header:digest}') })).toBeUndefined();
    expect(faultOf({ signed: '{header:x-time}', ...digest('{header:digest}') })).toBe('/bodyDigest');
  });
});

describe('the time of a signature', () => {
  it.each<[Rule['signed'], object]>([
    ['{header:X-Time}.{body}', { header: 'x-time' }],
    ['{header:x-time?}.{body}', { header: 'X-Time' }],
    ['{header:x-sig/t}.{body}', { header: 'x-sig', part: 't' }],
    ['{header:x-sig}.{body}', { header: 'x-sig', part: 't' }],
    ['{body}', { value: '{body:/time}' }],
    ['{body:/time}{body:/token}', { value: '{body:/time}' }],
    ['{lines:/Message,/Time?}', { value: '{body:/Time}' }],
    ['{header:x-day}{header:x-hour}{body}', { value: '{header:x-day}T{header:x-hour}' }],
    ['{url}{body}', { value: '{query:t}' }],
  ])('is in the signed text: %s', (signed, time) => {
    expect(faultOf({ signed, ...timed(time) })).toBeUndefined();
  });

  it.each<[Rule['signed'], object]>([
    ['{body}', { header: 'x-time' }],
    ['{header:x-time-2}{body}', { header: 'x-time' }],
    ['{header:x-sig/t}.{body}', { header: 'x-sig', part: 'u' }],
    ['{header:x-sig/t}.{body}', { header: 'x-sig' }],
    ['{body:/id}', { value: '{body:/time}' }],
    ['{header:x-day}{body}', { value: '{header:x-day}T{header:x-hour}' }],
    ['{body}', { value: '{query:t}' }],
    ['{body}', { value: '2026-01-01T00:00:00Z' }],
  ])('is missing in the signed text: %s', (signed, time) => {
    expect(faultOf({ signed, ...timed(time) })).toBe('/timestamp');
  });

  it('is not in an item of a list when it is in the body beside the list', () => {
    const time = timed({ value: '{body:/time}' });
    expect(faultOf({ signed: '{body:/time}', each: '/items', ...time })).toBe('/timestamp');
    expect(faultOf({ signed: '{body}', each: '/items', ...time })).toBeUndefined();
  });

  it('is covered by a digest of the body', () => {
    const time = timed({ value: '{body:/time}' });
    expect(faultOf({ signed: '{header:digest}', ...digest('{header:digest}'), ...time })).toBeUndefined();
  });
});
