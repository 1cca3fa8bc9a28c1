import { isDeepStrictEqual } from 'node:util';
import { KINDS, nameOf, type ResourceKind, type Resource, type Wanted } from './document';

export interface FieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

/** What `apply` does with one resource. */
export interface PlannedChange {
  kind: ResourceKind;
  name: string;
  action: 'create' | 'change' | 'delete' | 'none';
  fields: FieldChange[];
}

/** Fields that no response contains, or only a hint of. */
const SECRET_FIELDS: readonly string[] = ['secret', 'secrets', 'headers', 'auth'];
/** What the server sets, and a file cannot. */
const KEYS: readonly string[] = ['id', 'uid', 'tenantId'];

/**
 * Compares what is wanted, with its secrets, to what there is. A field that the file leaves out is not compared: the file
 * says what must be, and nothing about the rest. What there is and has no uid is never touched.
 * @param prunes whether what the file leaves out is deleted, apart from tenants
 */
export function applyPlan(wanted: Wanted, current: Wanted, prunes: boolean): PlannedChange[] {
  return KINDS.flatMap((kind) => {
    const known = new Map(current[kind].map((one) => [nameOf(kind, one), one]));
    const changes = wanted[kind].map((one): PlannedChange => {
      const name = nameOf(kind, one);
      const there = known.get(name);
      if (there === undefined) return { kind, name, action: 'create', fields: [] };
      const fields = changedFields(one, there);
      return { kind, name, action: fields.length === 0 ? 'none' : 'change', fields };
    });
    if (!prunes || kind === 'tenants') return changes;
    const kept = new Set(wanted[kind].map((one) => nameOf(kind, one)));
    const rest = [...known.keys()].filter((name) => !kept.has(name));
    return [...changes, ...rest.map((name): PlannedChange => ({ kind, name, action: 'delete', fields: [] }))];
  });
}

function changedFields(wanted: Resource, there: Resource): FieldChange[] {
  return Object.entries(wanted).flatMap(([field, after]): FieldChange[] => {
    if (KEYS.includes(field)) return [];
    if (SECRET_FIELDS.includes(field)) {
      const hints = field === 'secrets' ? there.secretHints : there[field];
      // The signing secret of a destination has no hint: it is set when the destination is created.
      if (field === 'secret' || agrees(after, hints)) return [];
      return [{ field, before: '(hidden)', after: '(from the environment)' }];
    }
    const before = there[field];
    return isDeepStrictEqual(before, after) ? [] : [{ field, before, after }];
  });
}

/** Whether a secret may be what a hint (`…x9Qa`, or `…` alone) was made of, at each place of a value. */
export function agrees(secret: unknown, hint: unknown): boolean {
  if (typeof secret === 'string' && typeof hint === 'string') {
    return hint.startsWith('…') ? secret.trim().endsWith(hint.slice(1)) : secret === hint;
  }
  if (Array.isArray(secret) && Array.isArray(hint)) {
    return secret.length === hint.length && secret.every((one, index) => agrees(one, hint[index]));
  }
  if (isObject(secret) && isObject(hint)) {
    const names = new Set([...Object.keys(secret), ...Object.keys(hint)]);
    return [...names].every((name) => agrees(secret[name], hint[name]));
  }
  return isDeepStrictEqual(secret ?? null, hint ?? null);
}

const isObject = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
