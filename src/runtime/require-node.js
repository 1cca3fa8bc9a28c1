'use strict';
/**
 * Ends the process with one sentence and exit code 1 when this Node.js cannot run StreamForge. Every entry imports this
 * file first. It is plain JavaScript without dependencies, so that an old Node.js can run it, even before the build.
 *
 * An older Node.js would start and look healthy, but its JSON.parse does not provide the source text of numbers. Two events
 * that differ only in a number beyond 2^53 would count as one.
 */

/** package.json ("engines") says the same to npm. */
const LEAST = '22.15';

/**
 * The features that this Node.js lacks. The version is not enough: 23.0 to 23.7 are newer than 22.15 but have no zstd.
 * @returns {string[]}
 */
function missingFeatures() {
  let source;
  JSON.parse('1.0', (_name, value, context) => {
    source = context && context.source;
    return value;
  });
  const missing = [];
  if (source !== '1.0') missing.push('source text in JSON.parse');
  if (typeof require('zlib').createZstdDecompress !== 'function') missing.push('zstd');
  return missing;
}

/**
 * @param {string} version such as `v22.15.0`
 * @param {string} least such as `22.15`
 */
function isOlder(version, least) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  const [leastMajor, leastMinor] = least.split('.').map(Number);
  return major === leastMajor ? minor < leastMinor : major < leastMajor;
}

/**
 * The sentence that refuses a Node.js, or undefined if it is suitable.
 * @param {{ version: string, path: string, missing: string[] }} found
 * @param {string} [needs]
 * @param {string} [least]
 */
function refusalOf(found, needs = 'StreamForge needs', least = LEAST) {
  if (!isOlder(found.version, least) && found.missing.length === 0) return undefined;
  const lacks = found.missing.length > 0 ? `, which lacks ${found.missing.join(' and ')}` : '';
  return (
    `${needs} Node.js ${least} or newer, but this is ${found.version} (${found.path})${lacks}: install Node.js 24, ` +
    'or run "npm ci" without --omit=dev and --ignore-scripts, which brings Node.js 24 for all npm scripts.'
  );
}

/**
 * @param {string} [needs]
 * @param {string} [least]
 */
function requireNode(needs, least) {
  const found = { version: process.version, path: process.execPath, missing: missingFeatures() };
  const refusal = refusalOf(found, needs, least);
  if (refusal === undefined) return;
  process.stderr.write(`${refusal}\n`);
  process.exit(1);
}

requireNode();

module.exports = { LEAST, refusalOf, requireNode };
