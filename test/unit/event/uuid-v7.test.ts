import { isUuid, uuidV7 } from '../../../src/event/uuid-v7';

const many = (count: number, now?: number): string[] => Array.from({ length: count }, () => uuidV7(now));

describe('uuidV7', () => {
  it('returns ids with version 7 and the variant of RFC 9562, in lower case', () => {
    for (const id of many(1_000)) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('returns strictly increasing ids', () => {
    const ids = many(20_000);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(ids.toSorted());
  });

  it('returns strictly increasing ids when the counter overflows within a millisecond', () => {
    const ids = many(20_000, Date.UTC(2100, 0));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(ids.toSorted());
  });

  it('returns strictly increasing ids when the clock goes back a little', () => {
    const later = uuidV7(Date.UTC(2200, 0));
    expect(uuidV7(Date.UTC(2200, 0) - 9_000) > later).toBe(true);
  });

  it('starts the id with the current millisecond', () => {
    expect(uuidV7(0x0fedcba98765)).toMatch(/^0fedcba9-8765-7/);
  });

  it('is recognised by isUuid, which rejects other texts', () => {
    const id = uuidV7();
    expect(isUuid(id)).toBe(true);
    for (const other of ['', id.toUpperCase(), id.replaceAll('-', ''), `{${id}}`, `${id} `, `${id}\n`, id.slice(1)]) {
      expect(isUuid(other)).toBe(false);
    }
  });
});
