'use strict';
const { RE2JS } = require('re2js');

/**
 * A regular expression that takes linear time, with what JSONata needs of RegExp: `exec` and `lastIndex`. Look-around and
 * back references do not exist in this engine.
 */
class LinearRegExp {
  /**
   * @param {RegExp} pattern
   * @throws when the engine does not support the pattern
   */
  constructor(pattern) {
    this.engine = engineOf(pattern);
    this.lastIndex = 0;
    this.matcher = undefined;
    this.text = undefined;
  }

  /** @param {string} text */
  exec(text) {
    if (this.matcher === undefined || this.text !== text) {
      this.matcher = this.engine.matcher(text);
      this.text = text;
    }
    const { matcher } = this;
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    this.lastIndex = matcher.end();
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined);
    return Object.assign(groups, { index: matcher.start(), input: text });
  }
}

/** An expression is compiled once and evaluated often, each time with the same RegExp object. */
const engines = new WeakMap();

/** @param {RegExp} pattern */
function engineOf(pattern) {
  const known = engines.get(pattern);
  if (known !== undefined) return known;
  const flags = (pattern.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (pattern.multiline ? RE2JS.MULTILINE : 0);
  const engine = RE2JS.compile(RE2JS.translateRegExp(pattern.source), flags);
  engines.set(pattern, engine);
  return engine;
}

module.exports = { LinearRegExp };
