import { canonicalJson } from '../json/canonical-json';
import { parseRepeating, RepeatingObject } from '../json/exact-json';
import { childPointer, scanJsonObject } from '../json/json-text';
import { findUnsupportedCharacter } from '../json/unsupported-characters';
import { invalidEvent, type ErrorDetail } from '../problems';
import { MAX_DEPTH } from '../prepare-event';
import { isDefaultType, type CloudEventData } from './cloud-event-data';
import type { CloudEventParts } from './cloud-event-parts';

/** JSON text of each attribute that the envelope has no field for, `partitionkey` included, in the order sent. */
export type Extensions = readonly (readonly [name: string, json: string])[];

/** Checks the extensions and returns what the event keeps of them, or the errors. */
export function readExtensions(
  extensions: Extensions,
  { encoding, canonicalPayload, legacyPayload }: CloudEventData,
): CloudEventParts | { errors: ErrorDetail[] } {
  const errors = extensions.flatMap(([name, json]) => errorsOf(name, json));
  if (errors.length > 0) return { errors };
  const hashed = extensions.filter(([name, json]) => !isHashedElsewhere(name, json));
  const howWritten = encoding === undefined ? '' : `"encoding":"${encoding}",`;
  const canonical = hashed.length === 0 ? '' : membersOf(parseRepeating(objectText(hashed)));
  return {
    extensionsJson: extensions.length === 0 ? undefined : objectText(extensions),
    canonicalMembers: howWritten + canonical,
    canonicalPayload,
    legacyPayload,
  };
}

/** Returns what the hash covers of the stored extensions of an event: a canonical member, followed by a comma. */
export function cloudEventMembers(extensionsJson: string): string {
  const all = parseRepeating(extensionsJson);
  if (typeof all !== 'object' || all === null || all instanceof RepeatingObject) return membersOf(all);
  const hashed = Object.entries(all).filter(([name, value]) => !isHashedElsewhere(name, JSON.stringify(value)));
  return hashed.length === 0 ? '' : membersOf(Object.fromEntries(hashed));
}

const membersOf = (extensions: unknown): string => `"extensions":${canonicalJson(extensions)},`;

/** `partitionkey` is a field of the envelope, and an absent `datacontenttype` means JSON. */
function isHashedElsewhere(name: string, json: string): boolean {
  if (name === 'partitionkey') return true;
  return name === 'datacontenttype' && isDefaultType(JSON.parse(json) as string);
}

function errorsOf(name: string, json: string): ErrorDetail[] {
  const pointer = childPointer('', name);
  const isText = json.startsWith('"');
  if ((name === 'datacontenttype' || name === 'dataschema') && !isText) {
    return [invalidEvent(pointer, 'must be a string')];
  }
  if (scanJsonObject(`{"":${json}}`).depth > MAX_DEPTH) {
    return [invalidEvent(pointer, `must not be nested deeper than ${MAX_DEPTH} levels`)];
  }
  const place = findUnsupportedCharacter(parseRepeating(objectText([[name, json]])), '');
  if (place === undefined) return [];
  const message = 'must not contain U+0000 or a lone surrogate';
  return [{ pointer: place === '' ? pointer : place, code: 'unsupported-character', message }];
}

function objectText(members: Extensions): string {
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}
