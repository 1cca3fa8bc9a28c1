/**
 * `node --require` this file to make a process look like an older Node.js, as far as SEEM_OLD says (`version`, `json`,
 * `zstd`, separated by commas). At its end the process writes the files that it loaded to LOADED_FILES.
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
