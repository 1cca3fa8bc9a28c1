/**
 * Preload this file (`node --require`) to make a process look like an older Node.js. SEEM_OLD lists in which ways:
 * `version`, `json`, `zstd`, separated by commas. When the process exits, it writes the list of loaded files to
 * the file LOADED_FILES.
 */
const fs = require('node:fs');
const zlib = require('node:zlib');

const { SEEM_OLD = '', LOADED_FILES } = process.env;

const seems = {
  version: () => Object.defineProperty(process, 'version', { value: 'v20.20.2' }),
  json: () => {
    const { parse } = JSON;
    JSON.parse = (text, reviver) => parse(text, reviver && ((name, value) => reviver(name, value))); // without the context
  },
  zstd: () => delete zlib.createZstdDecompress,
};
for (const what of SEEM_OLD.split(',')) seems[what]();

process.on('exit', () => fs.writeFileSync(LOADED_FILES, JSON.stringify(Object.keys(require.cache))));
