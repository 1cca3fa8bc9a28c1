import { ExactValue } from './exact-json';

/** Returns the value without the member at a path of names; the value itself if there is none. Copies what leads there. */
export function withoutMember(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value) || value instanceof ExactValue || !Object.hasOwn(value, name)) return value;
  const { [name]: member, ...others } = value as Record<string, unknown>;
  return rest.length === 0 ? others : { ...others, [name]: withoutMember(member, rest) };
}
