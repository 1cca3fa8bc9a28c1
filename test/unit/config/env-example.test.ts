import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { parseSettings } from '../../../src/config/parse-settings';
import { SETTINGS } from '../../../src/config/settings';
import type { Setting } from '../../../src/config/setting-kinds';

const lines = readFileSync(path.resolve(__dirname, '../../../.env.example'), 'utf8').split('\n');

/** Every `NAME=value` or `# NAME=` with the line above it. */
const listed = lines.flatMap((line, i) => {
  const [, comment, name, value] = /^(# ?)?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
  return name === undefined ? [] : [{ name, value, commented: comment !== undefined, above: lines[i - 1] }];
});

describe('.env.example', () => {
  it('names exactly the settings there are', () => {
    expect(listed.map(({ name }) => name).toSorted()).toEqual(Object.keys(SETTINGS).toSorted());
  });

  it.each(Object.entries<Setting<unknown>>(SETTINGS))('says what %s means and its default', (name, setting) => {
    expect(listed.find((entry) => entry.name === name)).toEqual({
      name,
      value: setting.default ?? '',
      commented: setting.default === undefined,
      above: `# ${setting.meaning}`,
    });
  });

  it('can be copied to .env as it is', () => {
    const env = Object.fromEntries(
      listed.filter(({ commented }) => !commented).map(({ name, value }) => [name, value]),
    );
    expect(parseSettings(env)).toEqual(parseSettings({}));
  });
});
