import * as fc from 'fast-check';
import type { OperatorRole } from '../../src/access/identity/operator-roles';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
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
  operationId?: string;
  'x-role'?: OperatorRole;
  parameters?: (Parameter | Reference)[];
  requestBody?: {
    required?: boolean;
    content: Record<string, { schema: Schema; example?: unknown; examples?: Record<string, { value: unknown }> }>;
  };
  responses: Record<string, ApiResponse | Reference>;
}
export interface Reference {
  $ref: string;
}
export interface ApiResponse {
  headers?: Record<string, Reference>;
  content?: Record<string, { schema: Schema; examples?: Record<string, Reference | { value: unknown }> }>;
}
export interface ApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  webhooks: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    securitySchemes: Record<string, { type: string; name?: string; scheme?: string }>;
  };
}

/** A request generated from the document: valid, nearly valid, or nonsense. */
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

/** Returns the target of a reference, or the thing itself when it is none. */
export function resolve<T extends object>(document: ApiDocument, thing: T | Reference): T {
  if (!('$ref' in thing)) return thing;
  const names = thing.$ref.slice('#/'.length).split('/');
  const target = names.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document);
  if (typeof target !== 'object' || target === null) throw new Error(`${thing.$ref} does not exist in the document.`);
  return target as T;
}

/** Generates values of a schema, and some that violate it. */
function valuesOf(schema: Schema, document: ApiDocument, depth = 0): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 6, arbitrary: validOf(schema, document, depth) }, { weight: 1, arbitrary: anything });
}

function validOf(schema: Schema, document: ApiDocument, depth: number): fc.Arbitrary<unknown> {
  if (depth > 4) return fc.constant(null);
  const choices = choicesOf(schema, document);
  if (choices) return fc.oneof(...choices.map((choice) => valuesOf(choice, document, depth + 1)));
  if (schema.type === 'array') return fc.array(valuesOf(schema.items ?? {}, document, depth + 1), { maxLength: 4 });
  if (schema.type === 'object' && schema.properties) {
    const members = Object.entries(schema.properties).map(([name, of]) => [name, valuesOf(of, document, depth + 1)]);
    return fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, {
      requiredKeys: schema.required ?? [],
    });
  }
  return scalarsOf(schema);
}

/** Returns the alternatives of a schema; undefined when it has none. */
function choicesOf(schema: Schema, document: ApiDocument): Schema[] | undefined {
  if (schema.$ref) return [resolve(document, { $ref: schema.$ref })];
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }));
  return schema.oneOf ?? schema.anyOf ?? schema.allOf;
}

function scalarsOf({ type, format, enum: words, example }: Schema): fc.Arbitrary<unknown> {
  if (words) return fc.constantFrom(...words);
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (format === 'uuid') return fc.uuid();
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'integer' || type === 'number') return fc.oneof(fc.integer({ min: -2, max: 600 }), fc.double());
  if (type === 'string') return fc.oneof(fc.constant(example ?? 'demo'), fc.string(), fc.constantFrom(...NASTY));
  return anything;
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
const headerSafe = (text: string): string => text.replace(/[^\x20-\x7e]/g, '').trim();

/**
 * Weight of leaving out an optional parameter, against a weight of 2 for sending it. Headers are mostly left out,
 * because one header can refuse the request, or make it a CloudEvent, before the other inputs are read.
 */
const LEFT_OUT = { query: 1, path: 1, header: 20 };

export function requestsOf(path: string, operation: Operation, document: ApiDocument): fc.Arbitrary<GeneratedRequest> {
  const parameters = (operation.parameters ?? []).map((parameter) => resolve(document, parameter));
  const values = fc.tuple(
    ...parameters.map(({ in: where, schema, required }) => {
      const sent = valuesOf(schema, document);
      const leftOut = { weight: LEFT_OUT[where], arbitrary: fc.constant(undefined) };
      return required ? sent : fc.oneof({ weight: 2, arbitrary: sent }, leftOut);
    }),
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
      else if (where === 'header') headers[name.toLowerCase()] = headerSafe(asText(value));
      else filled = filled.replace(`{${name}}`, encodeURIComponent(asText(value).toWellFormed()));
    });
    return { path: query.size > 0 ? `${filled}?${query.toString()}` : filled, headers, body: sent?.text };
  });
}
