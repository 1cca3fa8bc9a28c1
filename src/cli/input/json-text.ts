import { isJson } from '../../event/json/json-text';
import { usageError } from '../cli-error';

/**
 * Checks the text of a JSON value and returns it as it is, because parsing would round its numbers.
 * @param what names the value in the error, such as `The payload`
 */
export function jsonText(text: string, what: string): string {
  if (isJson(text)) return text.trim();
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  throw usageError(
    text.trim() === ''
      ? `${what} is empty. Send JSON, such as '{"amount":10.10}'.`
      : `${what} is no JSON: ${shown}. A text needs quotes of its own, such as '"hello"'.`,
  );
}
