import { parseDocument, stringify } from 'yaml';
import { usageError } from '../cli-error';

/** A resource as the file has it: the fields of the API. */
export type Resource = Record<string, unknown>;

export const KINDS = ['tenants', 'sources', 'destinations'] as const;
export type ResourceKind = (typeof KINDS)[number];
export type Wanted = Record<ResourceKind, Resource[]>;

/** What names a resource in the file. */
export const nameOf = (kind: ResourceKind, resource: Resource): string =>
  kind === 'tenants' ? String(resource.id) : `${String(resource.tenantId)}/${String(resource.uid)}`;

/**
 * Reads the file of `apply`.
 * @throws CliError when it is no YAML, has other sections, or a resource has no name of its own
 */
export function parseWanted(text: string): Wanted {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors[0] !== undefined) throw usageError(`The file is no YAML: ${document.errors[0].message}`);
  const file: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw usageError(`The file must have sections: ${KINDS.join(', ')}.`);
  }
  const strange = Object.keys(file).find((name) => !KINDS.includes(name as ResourceKind));
  if (strange !== undefined) throw usageError(`The file has a section "${strange}". Known are: ${KINDS.join(', ')}.`);
  return Object.fromEntries(KINDS.map((kind) => [kind, listOf(kind, (file as Resource)[kind])])) as Wanted;
}

function listOf(kind: ResourceKind, value: unknown): Resource[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw usageError(`${kind} must be a list.`);
  const names = new Set<string>();
  return value.map((one: unknown, index) => {
    const resource = (typeof one === 'object' && one !== null ? one : {}) as Resource;
    const needed = kind === 'tenants' ? ['id'] : ['uid', 'tenantId'];
    const missing = needed.find((field) => typeof resource[field] !== 'string');
    if (missing !== undefined) throw usageError(`${kind}[${index}] has no "${missing}".`);
    const name = nameOf(kind, resource);
    if (names.has(name)) throw usageError(`${kind} has "${name}" twice.`);
    names.add(name);
    return resource;
  });
}

export const yamlOf = (wanted: Wanted): string =>
  stringify(Object.fromEntries(KINDS.filter((kind) => wanted[kind].length > 0).map((kind) => [kind, wanted[kind]])), {
    lineWidth: 120,
  });
