import * as fc from 'fast-check';
import { isStoredInstant, parseInstant, utcText } from '../../../src/event/instant';

const utcOf = (text: string): string | undefined => parseInstant(text)?.utc;

describe('parseInstant', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.5Z', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31T12:00:00+05:45', '2026-01-31T06:15:00.000Z'],
    ['2026-01-31T23:30:00-01:00', '2026-02-01T00:30:00.000Z'],
    ['2026-01-01T00:00:00+14:00', '2025-12-31T10:00:00.000Z'],
    ['2026-01-31T12:00:00-00:00', '2026-01-31T12:00:00.000Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
  ])('converts %s to %s', (text, utc) => {
    expect(utcOf(text)).toBe(utc);
  });

  it.each(['2024-02-29', '2000-02-29', '2026-12-31', '2026-04-30'])('accepts the day %s', (day) => {
    expect(utcOf(`${day}T00:00:00Z`)).toBe(`${day}T00:00:00.000Z`);
  });

  it.each(['2026-02-29', '1900-02-29', '2026-02-30', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00'])(
    'rejects the day %s',
    (day) => {
      expect(parseInstant(`${day}T00:00:00Z`)).toBeUndefined();
    },
  );

  it.each(['24:00:00', '23:60:00', '23:59:60', '23:59:61', '1:00:00', '12:00', '12:00:00.', '12:00:00,5'])(
    'rejects the time %s',
    (time) => {
      expect(parseInstant(`2026-01-31T${time}Z`)).toBeUndefined();
    },
  );

  it.each(['', '+01', '+0100', '+24:00', '-01:60', ' Z', 'Europe/Berlin', 'Z\n'])('rejects the offset %j', (offset) => {
    expect(parseInstant(`2026-01-31T12:00:00${offset}`)).toBeUndefined();
  });

  it.each([
    '',
    'now',
    'today',
    'infinity',
    '-infinity',
    'epoch',
    '2026-01-31',
    '1769860800',
    '+012026-01-31T12:00:00Z',
  ])('rejects the text %j', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('accepts only the years 0001 to 9999 in UTC', () => {
    expect(utcOf('0001-01-01T00:00:00Z')).toBe('0001-01-01T00:00:00.000Z');
    expect(utcOf('9999-12-31T23:59:59.999Z')).toBe('9999-12-31T23:59:59.999Z');
    expect(parseInstant('0000-12-31T23:59:59Z')).toBeUndefined();
    expect(parseInstant('0001-01-01T00:00:00+00:01')).toBeUndefined();
    expect(parseInstant('9999-12-31T23:59:59-00:01')).toBeUndefined();
  });

  it('truncates digits beyond milliseconds in utc and never rounds into the next second', () => {
    expect(utcOf('2026-01-31T12:00:00.999999999Z')).toBe('2026-01-31T12:00:00.999Z');
  });

  it('keeps every significant digit in exact', () => {
    const exactOf = (fraction: string): string | undefined => parseInstant(`2026-01-31T12:00:00${fraction}Z`)?.exact;
    expect(exactOf('.1234567')).toBe('2026-01-31T12:00:00.1234567Z');
    expect(exactOf('.123456700')).toBe(exactOf('.1234567'));
    expect(exactOf('.1')).toBe(exactOf('.1000000'));
    expect(exactOf('')).toBe(exactOf('.0'));
    expect(exactOf('.0001')).not.toBe(exactOf('.0002'));
  });

  it('returns equal instants for the same moment in two offsets', () => {
    expect(parseInstant('2026-01-31T13:00:00.25+01:00')).toEqual(parseInstant('2026-01-31T12:00:00.250Z'));
  });
});

describe('an instant with an offset', () => {
  const two = (n: number): string => String(n).padStart(2, '0');
  const edges = fc.constantFrom(0, 1, 4, 99, 100, 400, 1899, 1900, 1999, 2000, 2024, 2100, 9999);
  const year = fc.oneof(fc.nat(9999), edges);
  const day = fc
    .tuple(year, fc.nat(13), fc.nat(32))
    .map(([y, m, d]) => `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}`);
  const time = fc.tuple(fc.nat(24), fc.nat(60), fc.nat(60)).map((parts) => parts.map(two).join(':'));
  const offset = fc
    .tuple(fc.constantFrom('+', '-'), fc.nat(24), fc.nat(60))
    .map(([s, h, m]) => `${s}${two(h)}:${two(m)}`);

  /** Date accepts some impossible days and moves them to the next month, and accepts 24:00. */
  function byDate(date: string, at: string, zone: string): string | undefined {
    const midnight = new Date(`${date}T00:00:00Z`);
    const ms = new Date(`${date}T${at}${zone}`).getTime();
    if (Number.isNaN(ms) || midnight.toISOString().slice(8, 10) !== date.slice(8) || at.startsWith('24'))
      return undefined;
    const utc = Number.isNaN(ms) ? '' : new Date(ms).toISOString();
    return /^\d{4}/.test(utc) && !utc.startsWith('0000') ? utc : undefined;
  }

  it('is the instant of Date for any day, time and offset', () => {
    fc.assert(
      fc.property(day, time, offset, (date, at, zone) => {
        expect(utcOf(`${date}T${at}${zone}`)).toBe(byDate(date, at, zone));
      }),
      { numRuns: 20_000 },
    );
  });

  it('is refused or read like the same text with an offset of zero, whatever the text is', () => {
    const wild = fc.oneof(
      fc.string(),
      fc.constantFrom('2026-01-31T12:00:00', '２026-01-31T12:00:00', '2026-01-31T12:00:00.٠'),
    );
    const usual = fc.tuple(day, time).map(([date, at]) => `${date}T${at}`);
    fc.assert(
      fc.property(fc.oneof(usual, wild), fc.constantFrom('', '.0', '.12', '.123', '.1234', '.', ' '), (text, end) => {
        expect(parseInstant(`${text}${end}Z`)).toEqual(parseInstant(`${text}${end}+00:00`));
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('isStoredInstant', () => {
  it.each(['2026-11-30', '2026-12-31', '2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31'])('accepts %s', (day) => {
    expect(isStoredInstant(`${day}T23:59:59.999Z`)).toBe(true);
  });

  it.each([
    '2026-11-31',
    '2026-02-29',
    '1900-02-29',
    '2024-02-30',
    '2026-04-31',
    '0000-01-01',
    '2026-13-01',
    '2026-1-01',
  ])('refuses %s', (day) => expect(isStoredInstant(`${day}T00:00:00.000Z`)).toBe(false));

  it('agrees with Date about every day of four centuries', () => {
    const wrong: string[] = [];
    for (let ms = Date.UTC(1900, 0, 1); ms < Date.UTC(2301, 0, 1); ms += 86_400_000) {
      const text = new Date(ms).toISOString();
      if (!isStoredInstant(text)) wrong.push(text);
    }
    expect(wrong).toEqual([]);
  });
});

describe('utcText', () => {
  it('is toISOString, also for a time that was asked for before', () => {
    for (const ms of [0, 0, 1_769_860_800_123, 1_769_860_800_124, 1_769_860_800_123, -1]) {
      expect(utcText(ms)).toBe(new Date(ms).toISOString());
    }
    expect(() => utcText(Number.NaN)).toThrow(RangeError);
  });
});

describe('an instant in the form in which it is stored', () => {
  it.each([
    '2026-01-31T12:00:00',
    '2024-02-29T23:59:59',
    '0001-01-01T00:00:00',
    '2026-02-30T00:00:00',
    '2026-01-31T24:00:00',
  ])('%s is read as with an offset of zero', (text) => {
    for (const fraction of ['', '.000', '.120', '.999']) {
      expect(parseInstant(`${text}${fraction}Z`)).toEqual(parseInstant(`${text}${fraction}+00:00`));
    }
  });
});
