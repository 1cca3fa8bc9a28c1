import { canonicalJson, quoted } from './canonical-json';
import { ExactValue } from './exact-json';

/**
 * Returns the canonical text of a value without the members at these paths of names. Cuts the members out of the whole
 * text, since writing the text of an event a second time would cost as much as the first.
 * @param canonical the canonical text of the value
 */
export function withoutMembers(value: unknown, canonical: string, paths: readonly (readonly string[])[]): string {
  let text = canonical;
  let left = value;
  for (const [i, path] of paths.entries()) {
    if (!isAt(left, path)) continue;
    const shorter = cut(text, memberAt(value, path));
    if (shorter === undefined || i < paths.length - 1) left = withoutMember(left, path); // a copy, mostly not needed
    text = shorter ?? canonicalJson(left);
  }
  return text;
}

/** True if there is a member at a path of names. */
function isAt(value: unknown, path: readonly string[]): boolean {
  let place = value;
  for (const name of path) {
    if (!hasMember(place, name)) return false;
    place = place[name];
  }
  return path.length > 0;
}

/** Returns the value without a member; the value itself if it has none there. Copies the objects that lead to it. */
function withoutMember(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || !hasMember(value, name)) return value;
  const { [name]: member, ...others } = value;
  if (rest.length === 0) return others;
  const lasting = withoutMember(member, rest);
  return lasting === member ? value : { ...others, [name]: lasting };
}

function hasMember(value: unknown, name: string): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return !Array.isArray(value) && !(value instanceof ExactValue) && Object.hasOwn(value, name);
}

/** Returns the canonical text of a member, which exists. */
function memberAt(value: unknown, path: readonly string[]): string {
  let member = value;
  for (const name of path) member = (member as Record<string, unknown>)[name];
  return `${quoted(path.at(-1) as string)}:${canonicalJson(member)}`;
}

/** Cuts the only place of a member out, with one comma beside it. Returns undefined if the text has several. */
function cut(text: string, member: string): string | undefined {
  const start = text.indexOf(member);
  const end = start + member.length;
  if (text.includes(member, start + 1) || !/[,}]/.test(text.charAt(end))) return undefined;
  if (text.charAt(end) === ',') return text.slice(0, start) + text.slice(end + 1);
  return text.slice(0, text.charAt(start - 1) === ',' ? start - 1 : start) + text.slice(end);
}
