'use strict';
/**
 * JSON.parse without a fault of V8 (nodejs/node#63785, Node.js 24 to 26 at least). After V8 has parsed an object with a
 * name that contains a backslash, it may give that name to a member of another object whose name is written with an
 * escape. Texts that escape a name are therefore parsed a second time, here. They are rare.
 *
 * Plain JavaScript, because the thread of the expressions loads it too, and a thread loads no TypeScript.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * Returns what JSON.parse should return.
 * @param {string} text
 * @returns {unknown}
 * @throws {SyntaxError}
 */
function parseJson(text) {
  const value = JSON.parse(text);
  return escapesName(text) ? parseValid(text) : value;
}

/**
 * True when the name of a member is written with an escape.
 * @param {string} text valid JSON
 */
function escapesName(text) {
  if (!text.includes('\\')) return false; // most texts
  for (let start = text.indexOf('"'); start >= 0;) {
    const end = closingQuote(text, start);
    let next = end + 1;
    while (text.charCodeAt(next) <= 0x20) next += 1;
    if (text.charCodeAt(next) === COLON && text.slice(start, end).includes('\\')) return true;
    start = text.indexOf('"', end + 1);
  }
  return false;
}

/**
 * Returns the position of the closing quote of the string that begins at `start`.
 * @param {string} text valid JSON
 * @param {number} start
 */
function closingQuote(text, start) {
  let i = start + 1;
  for (let c = text.charCodeAt(i); c !== QUOTE; c = text.charCodeAt(++i)) if (c === BACKSLASH) i += 1;
  return i;
}

/**
 * Parses text that JSON.parse has accepted. No recursion: the text may be nested to any depth.
 * @param {string} text
 * @returns {unknown}
 */
function parseValid(text) {
  /** @type {{ container: any, name: string | undefined }[]} */
  const open = [];
  const root = [];
  let into = { container: root, name: undefined };
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c <= 0x20 || c === COLON) continue;
    if (c === COMMA) {
      into.name = undefined;
    } else if (c === 0x7b || c === 0x5b) {
      const container = c === 0x5b ? [] : {};
      put(into, container);
      open.push(into);
      into = { container, name: undefined };
    } else if (c === 0x7d || c === 0x5d) {
      into = open.pop();
    } else {
      const end = c === QUOTE ? closingQuote(text, i) + 1 : endOfWord(text, i);
      const scalar = JSON.parse(text.slice(i, end));
      if (into.name === undefined && !Array.isArray(into.container)) into.name = scalar;
      else put(into, scalar);
      i = end - 1;
    }
  }
  return root[0];
}

/**
 * @param {{ container: any, name: string | undefined }} into
 * @param {unknown} value
 */
function put({ container, name }, value) {
  if (Array.isArray(container)) container.push(value);
  else if (name !== '__proto__') container[name] = value;
  else Object.defineProperty(container, name, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * Returns the position behind a number, true, false or null.
 * @param {string} text
 * @param {number} start
 */
function endOfWord(text, start) {
  let end = start + 1;
  for (let c = text.charCodeAt(end); end < text.length; c = text.charCodeAt(++end)) {
    if (c === COMMA || c === 0x5d || c === 0x7d || c <= 0x20) break;
  }
  return end;
}

module.exports = { parseJson, escapesName };
