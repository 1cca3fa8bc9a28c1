import type { ExprNode } from 'jsonata';
import type { ExpressionScope, Found } from './expression-scope';
import { JsonDocument } from './json-document';

/** A JSONata expression that only follows names and indices. It needs no computation, so numbers stay exact. */
export interface PlainPath {
  /** The variable that the path begins with, without `$`. A path that begins with a name begins at the document. */
  root: Root;
  /** A name, or an index of an array. A negative index counts from the end. */
  steps: readonly (string | number)[];
}

const ROOTS = ['', 'body', 'headers', 'query', 'path'] as const;
type Root = (typeof ROOTS)[number];

/** What jsonata's types leave out. */
interface PathNode extends ExprNode {
  stages?: FilterNode[];
  predicate?: FilterNode[];
}
type FilterNode = ExprNode & { expr?: ExprNode };

/** Returns the path, or undefined for an expression that computes. */
export function plainPathOf(ast: ExprNode): PlainPath | undefined {
  const nodes = ast.type === ('path' as string) ? ast.steps : [ast];
  if (!nodes || !hasOnly(ast, ['type', 'steps', 'value', 'position', 'predicate', 'stages'])) return undefined;
  const [first, ...rest] = nodes as [PathNode, ...PathNode[]];
  const root = first.type === 'variable' ? ROOTS.find((name) => name === first.value) : '';
  const names = first.type === 'variable' ? rest : nodes;
  if (root === undefined || names.some(({ type }) => type !== 'name')) return undefined;
  const steps = (nodes as PathNode[]).map((node) => stepsOf(node));
  if (steps.includes(undefined)) return undefined;
  return { root, steps: steps.flatMap((some) => some ?? []) };
}

/** Returns the name and the indices of one step, or undefined if it has anything else. */
function stepsOf(node: PathNode): (string | number)[] | undefined {
  if (!hasOnly(node, ['type', 'value', 'position', 'stages', 'predicate'])) return undefined;
  const indices: number[] = [];
  for (const { type, expr } of [...(node.stages ?? []), ...(node.predicate ?? [])]) {
    if (type !== ('filter' as string) || expr?.type !== 'number') return undefined;
    indices.push(Math.floor(expr.value as number));
  }
  return node.type === 'name' ? [node.value as string, ...indices] : indices;
}

const hasOnly = (node: object, names: readonly string[]): boolean =>
  Object.keys(node).every((name) => names.includes(name));

/**
 * Follows the path. Returns undefined where JSONata would do more than follow it: it applies a name to every element of
 * an array, and flattens arrays of arrays.
 */
export function findByPath({ root, steps }: PlainPath, scope: ExpressionScope): Found | undefined {
  let path = steps;
  let document: JsonDocument;
  if (root === 'headers' && typeof path[0] === 'string') {
    const name = headerName(scope.headers, path[0]);
    if (name === undefined) return { nothing: true };
    document = ofValue(scope.headers[name]);
    path = path.slice(1);
  } else {
    document = rootOf(root, scope);
  }
  const segments = segmentsTo(path, document.value);
  if (segments === undefined) return undefined;
  const json = segments === 'nothing' ? undefined : document.at(segments);
  return json ? { json } : { nothing: true };
}

/** Returns the segments for JsonDocument.at. */
function segmentsTo(path: PlainPath['steps'], from: unknown): string[] | 'nothing' | undefined {
  const segments: string[] = [];
  let value = from;
  for (const [i, step] of path.entries()) {
    if (typeof step === 'string') {
      if (Array.isArray(value)) return undefined;
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return 'nothing';
      segments.push(step);
      value = (value as Record<string, unknown>)[step];
      continue;
    }
    if (i === 0 || !Array.isArray(value)) return undefined; // JSONata sees any other value as an array of one
    const index = step < 0 ? value.length + step : step;
    value = value[index] as unknown;
    if (value === undefined) return 'nothing';
    if (Array.isArray(value)) return undefined;
    segments.push(String(index));
  }
  return segments;
}

function rootOf(root: Root, scope: ExpressionScope): JsonDocument {
  if (root === '') return scope.document;
  return root === 'body' ? scope.body : ofValue(scope[root]);
}

const ofValue = (value: unknown): JsonDocument => new JsonDocument(() => JSON.stringify(value), value);

function headerName(headers: ExpressionScope['headers'], name: string): string | undefined {
  const lower = name.toLowerCase();
  if (Object.hasOwn(headers, lower)) return lower;
  return Object.keys(headers).find((header) => header.toLowerCase() === lower);
}
