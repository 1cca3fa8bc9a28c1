'use strict';

/**
 * What one evaluation of a JSONata expression may use.
 * @typedef {{ cpuMilliseconds: number, milliseconds: number, waitMilliseconds?: number, megabytes: number,
 *   resultBytes: number, items: number, textLength: number, depth: number }} ExpressionLimits
 */

/** @type {ExpressionLimits} */
const LIMITS = {
  cpuMilliseconds: 250,
  /** How long a busy machine may take to give the process this CPU time. The caller may then try again. */
  milliseconds: 5_000,
  /** Heap of the process that evaluates. */
  megabytes: 64,
  resultBytes: 1_048_576,
  /** Length of a list. */
  items: 200_000,
  /** Characters of a text. */
  textLength: 4_194_304,
  /** Nested steps of an evaluation. A function call takes several. */
  depth: 1_000,
};

module.exports = { LIMITS };
