'use strict';
/**
 * The process that evaluates JSONata; see expression-process.ts. Plain JavaScript, so that it runs from src in tests and
 * from dist in production.
 *
 * A thread would be cheaper, but V8 ends the whole process when a thread needs much memory at once, for instance to
 * enlarge an object of many members. resourceLimits do not prevent it.
 */
const { Buffer } = require('node:buffer');
const { existsSync, writeFileSync } = require('node:fs');
const jsonata = require('jsonata');
const { parseJson } = require('../event/json/parse-json');
const { LinearRegExp } = require('./linear-regexp');
const limits = require('./limits');

/** Those of the process that started this one. @type {import('./limits').ExpressionLimits} */
const LIMITS = process.argv[2] === undefined ? limits.LIMITS : JSON.parse(process.argv[2]);

/** Compiled expressions. They are dropped together when there are too many. */
const compiled = new Map();
const MAX_COMPILED = 500;

/** @param {string} text */
function compile(text) {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const expression = jsonata(text, {
    stack: LIMITS.depth,
    sequence: LIMITS.items,
    RegexEngine: LinearRegExp,
  });
  expression.assign(Symbol.for('jsonata.__evaluate_exit'), checkStep);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(text, expression);
  return expression;
}

/** Steps between two readings of the CPU clock, which takes a microsecond. */
const STEPS_PER_READING = 32;
let steps = 0;
let startedCpuMs = 0;

/** Called after each step of an evaluation. */
function checkStep(_node, _input, _environment, result) {
  checkSize(result);
  if (++steps % STEPS_PER_READING > 0) return;
  if (threadCpuMs() - startedCpuMs > LIMITS.cpuMilliseconds) throw { code: OUT_OF_CPU };
}

const OUT_OF_CPU = 'out of CPU time';

/** Node before 23.9 has only the time of all threads. */
function threadCpuMs() {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1_000;
}

/** Refuses long texts and lists early. Without this, one function call could make a text of 500 MB out of them. */
function checkSize(result) {
  if (typeof result === 'string' ? result.length > LIMITS.textLength : result?.length > LIMITS.items) {
    throw new RangeError('too large');
  }
}

/**
 * @param {{ document: string, body?: string, headers: object, query: object, path: string, expressions: string[] }} request
 */
async function answer({ document, body, headers, query, path, expressions }) {
  const value = parseJson(document);
  const bindings = { body: body === undefined ? value : parseJson(body), headers: anyCase(headers), query, path };
  for (const text of expressions) {
    let result;
    startedCpuMs = threadCpuMs();
    try {
      result = toJson(await compile(text).evaluate(value, bindings));
    } catch (error) {
      result = failureOf(error, text);
    }
    process.send({ ...result, runMs: threadCpuMs() - startedCpuMs, cpuMs: threadCpuMs() });
  }
}

/** @param {unknown} value */
function toJson(value) {
  if (value === undefined) return {};
  const json = isFunction(value)
    ? undefined
    : JSON.stringify(value, (_name, part) => (isFunction(part) ? undefined : part));
  if (json === undefined) return { failure: 'the result is a function' };
  if (Buffer.byteLength(json) > LIMITS.resultBytes) {
    return { failure: `result larger than ${LIMITS.resultBytes} bytes` };
  }
  return { json };
}

/** @param {any} value */
function isFunction(value) {
  return typeof value === 'function' || value?._jsonata_lambda === true || value?._jsonata_function === true;
}

/**
 * Header names are found in any case.
 * @param {Record<string, string>} headers
 */
function anyCase(headers) {
  const lower = Object.create(null);
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = value;
  const key = (name) => (typeof name === 'string' ? name.toLowerCase() : name);
  return new Proxy(lower, {
    get: (target, name) => target[key(name)],
    has: (target, name) => key(name) in target,
    getOwnPropertyDescriptor: (target, name) => Reflect.getOwnPropertyDescriptor(target, key(name)),
  });
}

/**
 * Says why an expression failed, without the data that it was evaluated over: the message may be logged.
 * @param {any} error
 * @param {string} text
 */
function failureOf(error, text) {
  const { code, position } = error;
  if (code === OUT_OF_CPU) return { failure: `takes more than ${LIMITS.cpuMilliseconds} ms of CPU time`, ended: true };
  if (error instanceof RangeError) {
    const tooDeep = error.message.includes('call stack');
    return { failure: tooDeep ? TOO_DEEP : `needs more than ${LIMITS.megabytes} MB` };
  }
  if (code === 'D1011') return { failure: TOO_DEEP };
  if (code === 'D2014' || code === 'D2015') return { failure: `makes a list of more than ${LIMITS.items} items` };
  return { failure: `${withoutData(error, text)}${position === undefined ? '' : ` (at position ${position})`}` };
}

const TOO_DEEP = 'is nested too deeply, or a function calls itself without end';

/**
 * @param {any} error
 * @param {string} text
 */
function withoutData(error, text) {
  const message = String(error?.message ?? error);
  // The texts of $error and $assert: shown when they are written in the expression, not computed.
  if (error.code === 'D3137' || error.code === 'D3141')
    return text.includes(message) ? message : 'failed by $error or $assert';
  const data = [error.value, error.value2, error.exp]
    .map((part) => JSON.stringify(part))
    .filter((part) => part?.length > 0);
  return data.reduce((shown, part) => shown.split(part).join('…'), message);
}

// The kernel should end this process first when memory runs out.
if (existsSync('/proc/self/oom_score_adj')) writeFileSync('/proc/self/oom_score_adj', '1000');
// A signal to the process group must not end this process while the server still finishes requests.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (request) => void answer(request));
process.send({ ready: true, cpuMs: threadCpuMs() });
