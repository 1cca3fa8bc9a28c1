import { quoted } from '../../event/json/canonical-json';
import { parseJson } from '../../event/json/parse-json';
import { readJsonText } from './json-body';
import { malformedBody, shown, type BodyLimits, type ParsedBody, type ReadBody } from './parsed-body';

/** One field of a form. The value is JSON text: a string, or an object for a file. */
export interface FieldJson {
  name: string;
  json: string;
}

/**
 * Returns the JSON text of an object with the fields. Fields of one name become an array. The text is made without an
 * object, so `__proto__` is an ordinary name.
 */
export function objectOfFields(fields: readonly FieldJson[]): ReadBody {
  const values = new Map<string, string[]>();
  for (const { name, json } of fields) {
    const before = values.get(name);
    if (before) before.push(json);
    else values.set(name, [json]);
  }
  const members = Array.from(values, ([name, all]) => {
    const json = all.length === 1 ? (all[0] as string) : `[${all.join(',')}]`;
    return `${quoted(name)}:${json}`;
  });
  return { json: `{${members.join(',')}}`, fromJson: false };
}

/**
 * Returns the JSON text that is the value of one form field. Some providers send a whole JSON document in a field, such
 * as `payload`.
 */
export function jsonOfField(form: ReadBody, name: string, limits: BodyLimits): ParsedBody {
  const fields: unknown = form.value ?? parseJson(form.json);
  const isObject = fields !== null && typeof fields === 'object' && !Array.isArray(fields);
  const text: unknown = isObject && Object.hasOwn(fields, name) ? (fields as Record<string, unknown>)[name] : undefined;
  if (text === undefined) return malformedBody(`The body has no field ${shown(name)}.`);
  if (typeof text !== 'string') return malformedBody(`The field ${shown(name)} must be sent once, as text.`);
  return readJsonText(text, `The field ${shown(name)}`, limits);
}
