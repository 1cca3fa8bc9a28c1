import type { JsonDocument } from '../../../expressions/json-document';
import { parsePointer } from '../../../expressions/pointer';
import type { ReceivedRequest } from '../../received-request';
import { TemplateError } from '../../template-parts';
import { missing, type Refused } from '../verdict';

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
      const items = 'rejection' in root ? undefined : root.at(path.segments)?.items();
      return items && items.length > 0 ? items : missing(`body:${pointer}`);
    },
  };
}
