import type { JsonDocument } from '../../../expressions/json-document';
import { parsePointer } from '../../../expressions/pointer';
import type { ReceivedRequest } from '../../request/received-request';
import { TemplateError } from '../../request/template-parts';
import { missing, refused, type Refused } from '../verdict';

/** Not fewer than the records of a request (map-request.ts). */
const MAX_ITEMS = 5_000;

/** Finds the list of which each item is signed by itself. */
export interface ListReader {
  /** Returns at least one item: nobody has signed an empty list. */
  itemsOf(request: ReceivedRequest): JsonDocument[] | Refused;
}

/** @throws TemplateError */
export function compileList(pointer: string): ListReader {
  const path = parsePointer(pointer);
  if ((pointer !== '' && !pointer.startsWith('/')) || 'badEscapeAt' in path) {
    throw new TemplateError(`each must be a JSON Pointer, such as /items, and not ${pointer}.`);
  }
  return {
    itemsOf(request) {
      const root = request.document();
      const list = 'rejection' in root ? undefined : root.at(path.segments);
      if (!list || !Array.isArray(list.value) || list.value.length === 0) return missing(`body:${pointer}`);
      if (list.value.length > MAX_ITEMS) {
        return refused('signature-invalid', `The list at ${pointer} has more than ${MAX_ITEMS} items.`);
      }
      return list.items() ?? [];
    },
  };
}
