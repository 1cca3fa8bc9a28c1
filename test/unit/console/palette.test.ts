import { entriesFor, type PaletteEntry } from '../../../console/src/shell/palette-entries';

const entry = (label: string): PaletteEntry => ({ kind: 'page', label, run: () => undefined });
const ENTRIES = ['Retry all …', 'Discard all …', 'Overview', 'Dead letters', 'Destinations'].map(entry);
const found = (text: string) => entriesFor(text, ENTRIES).map(({ label }) => label);

describe('the palette', () => {
  it('shows everything before anything is typed', () => expect(found(' ')).toHaveLength(ENTRIES.length));

  it('finds words in any order and case', () => {
    expect(found('LETT dead')).toEqual(['Dead letters']);
    expect(found('all')).toEqual(['Retry all …', 'Discard all …']);
    expect(found('no such')).toEqual([]);
  });

  it('puts first what begins with the text', () => {
    expect(found('d')).toEqual(['Discard all …', 'Dead letters', 'Destinations']);
    expect(found('re')).toEqual(['Retry all …']);
    expect(found('e')).toEqual(['Retry all …', 'Overview', 'Dead letters', 'Destinations']);
    expect(found('o')).toEqual(['Overview', 'Destinations']);
  });
});
