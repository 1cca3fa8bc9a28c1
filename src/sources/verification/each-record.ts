import type { JsonDocument } from '../../expressions/json-document';
import { parsePointer } from '../../expressions/pointer';
import type { ReceivedRequest } from '../received-request';

/** Returns the items of a list in the body; undefined if there is no list, or an empty one, which nobody has signed. */
export function listAt(request: ReceivedRequest, pointer: string): JsonDocument[] | undefined {
  const root = request.document();
  const path = parsePointer(pointer);
  if ('rejection' in root || 'badEscapeAt' in path) return undefined;
  const items = root.at(path.segments)?.items();
  return items && items.length > 0 ? items : undefined;
}
