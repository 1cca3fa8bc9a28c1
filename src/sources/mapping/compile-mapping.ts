import { compileExpression } from '../../expressions/expression';
import type { ExpressionScope } from '../../expressions/expression-scope';
import { JsonDocument } from '../../expressions/json-document';
import type { ReceivedRequest } from '../received-request';
import { compileTemplate } from '../template';
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
  fields: ReadonlyMap<MappedField, Finder>;
  /** Finds the list of a batch; undefined if a request is one record. */
  records: Finder | undefined;
}

/** @throws ExpressionError, TemplateError, whose messages are for the operator */
export function compileMapping(mapping: Mapping): CompiledMapping {
  const fields = new Map<MappedField, Finder>();
  for (const field of MAPPED_FIELDS) {
    const value = mapping[field];
    if (value !== undefined) fields.set(field, compileValue(value));
  }
  return { fields, records: mapping.records === undefined ? undefined : compileValue(mapping.records) };
}

function compileValue(value: MappingValue): Finder {
  if (typeof value === 'string') return compileText(value);
  if ('template' in value) return compileParts(value.template);
  return firstOf(value.map(compileValue));
}

function compileText(text: string): Finder {
  const expression = compileExpression(text);
  const name = text === '' ? 'the whole body' : text;
  const toFound = (found: Awaited<ReturnType<typeof expression.find>>): FoundValue => {
    if ('failure' in found) return { missing: `${name} ${found.failure}` };
    const isThere = 'json' in found && found.json.value !== null && found.json.value !== '';
    return isThere ? found : { missing: `${name} finds nothing` };
  };
  return ({ scope }) => {
    const found = expression.find(scope);
    return found instanceof Promise ? found.then(toFound) : toFound(found);
  };
}

function compileParts(text: string): Finder {
  const template = compileTemplate(text);
  return ({ request, scope }) => {
    const rendered = template.render(request, scope.document);
    if ('missing' in rendered) return { missing: `${text}: the request has no ${rendered.missing}` };
    const value = rendered.bytes.toString();
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
