import { decodeCursor, decodeKeyCursor, encodeCursor, encodeKeyCursor } from '../../../src/admin/endpoint/paging';
import { uuidV7 } from '../../../src/event/uuid-v7';

describe('a cursor', () => {
  it('brings back the id', () => {
    const id = uuidV7();
    expect(decodeCursor('events', encodeCursor('events', id))).toBe(id);
    expect(decodeCursor('events', undefined)).toBeUndefined();
  });

  it('brings back the columns of a key', () => {
    const key = ['2026-03-01', 'a', 'ü"b'];
    expect(decodeKeyCursor('usage', encodeKeyCursor('usage', key), 3)).toEqual(key);
  });

  it('of a key is refused when somebody has made it up', () => {
    const made: unknown[] = [
      [],
      ['a', 'b'],
      ['a', 'b', 1],
      ['a', 'b', '\0'],
      ['a', 'b', '\ud800'],
      { length: 3 },
      null,
      7,
    ];
    for (const key of made) {
      const cursor = encodeKeyCursor('usage', key as string[]);
      expect(() => decodeKeyCursor('usage', cursor, 3)).toThrow('invalid-request');
    }
  });

  it('of another list is refused', () => {
    expect(() => decodeCursor('dlq', encodeCursor('events', uuidV7()))).toThrow('invalid-request');
  });

  it('is refused when any character is changed', () => {
    const cursor = encodeCursor('audit', uuidV7());
    for (let i = 0; i < cursor.length; i++) {
      const other = cursor[i] === 'A' ? 'B' : 'A';
      expect(() => decodeCursor('audit', cursor.slice(0, i) + other + cursor.slice(i + 1))).toThrow('invalid-request');
    }
  });

  it.each(['', ' ', 'x', '=', 'a'.repeat(1000), '../../etc', '\u0000'])('%j is refused', (cursor) => {
    expect(() => decodeCursor('events', cursor)).toThrow('invalid-request');
  });
});
