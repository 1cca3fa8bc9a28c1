import { compileExpression } from '../../expressions/expression';
import type { ExpressionScope } from '../../expressions/expression-scope';
import { JsonDocument } from '../../expressions/json-document';
import type { ReceivedRequest } from '../request/received-request';
import { compileTemplate } from '../request/template';
import { MAPPED_FIELDS, type MappedField, type Mapping, type MappingValue } from './mapping';

/** One record of a request, and what expressions see of the request. */
export interface MappedFrom {
  request: ReceivedRequest;
  scope: ExpressionScope;
}

/** What a mapping found for a field, or why it found nothing. */
export type FoundValue = { json: JsonDocument } | { missing: string };

type Finder = (from: MappedFrom) => FoundValue | Promise<FoundValue>;

export interface CompiledMapping {
  fields: readonly { field: MappedField; find: Finder }[];
  /** Finds the list of a batch; undefined if a request is one record. */
  records: Finder | undefined;
}

/** @throws ExpressionError, TemplateError, whose messages are for the operator */
export function compileMapping(mapping: Mapping): CompiledMapping {
  const fields = MAPPED_FIELDS.flatMap((field) => {
    const value = mapping[field];
    return value === undefined ? [] : { field, find: compileValue(value, field === 'payload' ? isAnything : isText) };
  });
  return { fields, records: mapping.records === undefined ? undefined : compileValue(mapping.records, isText) };
}

/** Whether what was found counts. A payload may be null or empty; a field that is null or empty has not been sent. */
type Counts = (value: unknown) => boolean;
const isAnything: Counts = () => true;
const isText: Counts = (value) => value !== null && value !== '';

function compileValue(value: MappingValue, counts: Counts): Finder {
  if (typeof value === 'string') return compileText(value, counts);
  if ('template' in value) return compileParts(value.template);
  return firstOf(value.map((one) => compileValue(one, counts)));
}

function compileText(text: string, counts: Counts): Finder {
  const expression = compileExpression(text);
  const name = text === '' ? 'the whole body' : text;
  const toFound = (found: Awaited<ReturnType<typeof expression.find>>): FoundValue => {
    if ('failure' in found) return { missing: `${name} ${found.failure}` };
    return 'json' in found && counts(found.json.value) ? found : { missing: `${name} finds nothing` };
  };
  return ({ scope }) => {
    const found = expression.find(scope);
    return found instanceof Promise ? found.then(toFound) : toFound(found);
  };
}

function compileParts(text: string): Finder {
  const template = compileTemplate(text, { newId: true });
  return ({ request, scope }) => {
    const rendered = template.render(request, scope.document);
    if ('missing' in rendered) return { missing: `${text}: the request has no ${rendered.missing}` };
    const value = rendered.text;
    return { json: new JsonDocument(() => JSON.stringify(value), value) };
  };
}

/** Tries one after the other, since most often the first is found. */
function firstOf(finders: readonly Finder[]): Finder {
  return (from) => {
    const reasons: string[] = [];
    for (const [i, find] of finders.entries()) {
      const found = find(from);
      if (found instanceof Promise) return rest(from, finders.slice(i + 1), found, reasons);
      if ('json' in found) return found;
      reasons.push(found.missing);
    }
    return { missing: reasons.join('; ') };
  };
}

async function rest(
  from: MappedFrom,
  finders: readonly Finder[],
  pending: Promise<FoundValue>,
  reasons: string[],
): Promise<FoundValue> {
  let found = await pending;
  for (const find of finders) {
    if ('json' in found) return found;
    reasons.push(found.missing);
    found = await find(from);
  }
  return 'json' in found ? found : { missing: [...reasons, found.missing].join('; ') };
}
