import * as fc from 'fast-check';

export interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  format?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  example?: unknown;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
}
interface Parameter {
  name: string;
  in: 'query' | 'header' | 'path';
  required?: boolean;
  schema: Schema;
}
export interface Operation {
  summary?: string;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: {
    content: Record<string, { schema: Schema; example?: unknown; examples?: Record<string, { value: unknown }> }>;
  };
  responses: Record<string, { content?: Record<string, unknown> }>;
}
export interface ApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, { name?: string }> };
}

/** A request made from the document: sometimes valid, sometimes nearly, sometimes nonsense. */
export interface GeneratedRequest {
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

const NASTY = [
  '',
  '\0',
  "' or 1=1 --",
  '../..',
  '%00',
  '\ud800',
  '💥'.repeat(100),
  'x'.repeat(5_000),
  'null',
  '-1',
  '1e999',
  '[]',
  '{}',
];
const anything = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...NASTY), fc.double(), fc.constant(null));

/** Values of a schema, with an occasional value that breaks it. */
function valuesOf(schema: Schema, document: ApiDocument, depth = 0): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 6, arbitrary: validOf(schema, document, depth) }, { weight: 1, arbitrary: anything });
}

function validOf(schema: Schema, document: ApiDocument, depth: number): fc.Arbitrary<unknown> {
  if (depth > 4) return fc.constant(null);
  if (schema.$ref) {
    return valuesOf(document.components.schemas[schema.$ref.split('/').at(-1) as string] ?? {}, document, depth + 1);
  }
  const [variants] = [schema.oneOf ?? schema.anyOf ?? schema.allOf].filter(Boolean);
  if (variants) return fc.oneof(...variants.map((variant) => valuesOf(variant, document, depth + 1)));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (schema.format === 'uuid') return fc.uuid();
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer' || schema.type === 'number')
    return fc.oneof(fc.integer({ min: -2, max: 600 }), fc.double());
  if (schema.type === 'array') return fc.array(valuesOf(schema.items ?? {}, document, depth + 1), { maxLength: 4 });
  if (schema.type === 'object' && schema.properties) {
    const members = Object.entries(schema.properties).map(([name, of]) => [name, valuesOf(of, document, depth + 1)]);
    return fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, {
      requiredKeys: schema.required ?? [],
    });
  }
  if (schema.type === 'string')
    return fc.oneof(fc.constant(schema.example ?? 'demo'), fc.string(), fc.constantFrom(...NASTY));
  return anything;
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
const headerSafe = (text: string): string => text.replace(/[^\x20-\x7e]/g, '').trim();

export function requestsOf(path: string, operation: Operation, document: ApiDocument): fc.Arbitrary<GeneratedRequest> {
  const parameters = operation.parameters ?? [];
  const values = fc.tuple(
    ...parameters.map(({ schema, required }) =>
      required ? valuesOf(schema, document) : fc.option(valuesOf(schema, document), { nil: undefined, freq: 2 }),
    ),
  );
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema, example }]) =>
    (schema.type === 'string' ? fc.oneof(fc.constant(example), fc.string()) : valuesOf(schema, document)).map(
      (body) => ({
        type,
        text: typeof body === 'string' && schema.type === 'string' ? body : JSON.stringify(body),
      }),
    ),
  );
  const body = bodies.length > 0 ? fc.oneof(...bodies) : fc.constant(undefined);
  return fc.tuple(values, body).map(([chosen, sent]) => {
    const headers: Record<string, string> = sent ? { 'content-type': sent.type } : {};
    const query = new URLSearchParams();
    let filled = path;
    parameters.forEach(({ name, in: where }, i) => {
      const value = chosen[i];
      if (value === undefined) return;
      if (where === 'query') for (const one of [value].flat()) query.append(name, asText(one));
      else if (where === 'header') headers[name] = headerSafe(asText(value));
      else filled = filled.replace(`{${name}}`, encodeURIComponent(asText(value).toWellFormed()));
    });
    return { path: query.size > 0 ? `${filled}?${query.toString()}` : filled, headers, body: sent?.text };
  });
}
