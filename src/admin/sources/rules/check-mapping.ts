import { childPointer } from '../../../event/json/json-text';
import type { ErrorDetail } from '../../../event/problems';
import { compileExpression } from '../../../expressions/expression';
import { MAPPED_FIELDS } from '../../../sources/mapping/mapping';
import { compileTemplate } from '../../../sources/request/template';
import { faultOf, invalid, unknownProperty } from './schema-check';

const NAMES: readonly string[] = [...MAPPED_FIELDS, 'records'];
const MAX_ALTERNATIVES = 10;
const MAX_LENGTH = 4_096;
const KINDS = 'must be a JSON Pointer, a JSONata expression, { "template": "…" }, or a list of these';

/** Returns what is wrong with a mapping. `records` is one expression; the others may be templates and alternatives. */
export function mappingErrors(mapping: object, pointer = '/mapping'): ErrorDetail[] {
  return Object.entries(mapping).flatMap(([name, value]: [string, unknown]) => {
    const at = childPointer(pointer, name);
    if (!NAMES.includes(name)) return [invalid(at, unknownProperty(name, NAMES))];
    if (name !== 'records') return valueErrors(value, at);
    return typeof value === 'string' ? expressionErrors(value, at) : [invalid(at, 'must be a JSON Pointer or JSONata')];
  });
}

function valueErrors(value: unknown, at: string): ErrorDetail[] {
  if (!Array.isArray(value)) return alternativeErrors(value, at);
  if (value.length === 0 || value.length > MAX_ALTERNATIVES) {
    return [invalid(at, `must have 1 to ${MAX_ALTERNATIVES} alternatives`)];
  }
  return value.flatMap((one, i) => alternativeErrors(one, `${at}/${i}`));
}

function alternativeErrors(value: unknown, at: string): ErrorDetail[] {
  if (typeof value === 'string') return expressionErrors(value, at);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [invalid(at, KINDS)];
  const { template, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return [invalid(childPointer(at, unknown), unknownProperty(unknown, ['template']))];
  if (typeof template !== 'string') return [invalid(`${at}/template`, 'must be a text')];
  return textErrors(template, `${at}/template`, () => compileTemplate(template));
}

function expressionErrors(text: string, at: string): ErrorDetail[] {
  return textErrors(text, at, () => compileExpression(text));
}

function textErrors(text: string, at: string, compile: () => unknown): ErrorDetail[] {
  const fault = text.length > MAX_LENGTH ? `must have at most ${MAX_LENGTH} characters` : faultOf(compile);
  return fault === undefined ? [] : [invalid(at, fault)];
}
