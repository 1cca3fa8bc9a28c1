import { randomUUID } from 'node:crypto';
import type { JsonDocument } from '../../expressions/json-document';
import type { ReceivedRequest } from './received-request';
import { NAMED_PARTS, type Part, TemplateError, WHOLE_PARTS } from './template-parts';

/**
 * Templates describe a text that is made of parts of a request, such as `{header:x-time}.{body}`:
 *
 *   {body}            the body as received         {body:/a/b}        a value in it, by JSON Pointer
 *   {url} {path}      as the producer called it    {method}           in upper case
 *   {header:name}     a header                     {header:name/t}    the part `t` of a header `t=…,v1=…`
 *   {query:name}      a query parameter            {lines:/a,/b?}     for each value a line with its name and one with it
 *   {sha256} {crc32}  of the body; in hex and as a decimal number
 *   {form}            names and values of a form, sorted and joined; `{form?}` is empty for other bodies
 *   {decodedUrl}      the URL with some characters unescaped, as HubSpot signs it
 *   {newId}           a new UUID each time; only in a mapping
 *   {secret}          a secret of the source; only where a certificate signs it
 *
 * A name that ends in `?` may be absent or null: its text is then empty, and `lines` leaves both of its lines out.
 * Everything outside braces stands for itself.
 */
export interface Template {
  /**
   * Returns the text, or the name of the first part that the request does not have.
   * @param record what `{body:…}` refers to, if not to the whole body
   */
  render(request: ReceivedRequest, record?: JsonDocument, secret?: string): Rendered | { missing: string };
}

/** The text that a template gives for a request. Its parts are joined only when they are needed. */
export class Rendered {
  constructor(private readonly parts: readonly (string | Buffer)[]) {}

  get text(): string {
    return this.parts.some((part) => typeof part !== 'string')
      ? this.bytes.toString()
      : this.parts.join('').toWellFormed();
  }

  get bytes(): Buffer {
    const [first] = this.parts;
    return this.parts.length === 1 && Buffer.isBuffer(first) ? first : this.bytesAfter(NOTHING);
  }

  /** Returns the bytes behind others, copied once. */
  bytesAfter(before: Buffer): Buffer {
    return Buffer.concat([before, ...this.parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))]);
  }
}

const NOTHING = Buffer.alloc(0);

export interface TemplateOptions {
  /** Whether `{secret}` may be used. */
  secret?: boolean;
  /** Whether `{newId}` may be used. */
  newId?: boolean;
}

/** @throws TemplateError for a part that does not exist */
export function compileTemplate(text: string, options: TemplateOptions = {}): Template {
  const pieces = text.split(/(\{[^{}]*\})/).filter((piece) => piece !== '');
  const parts = pieces.map((piece) => ({
    name: piece.slice(1, -1),
    valueOf: isPart(piece) ? partOf(piece, options) : () => piece,
  }));
  return {
    render(request, record, secret) {
      const scope = { request, record, secret };
      const values: (string | Buffer)[] = [];
      for (const { name, valueOf } of parts) {
        const value = valueOf(scope);
        if (value === undefined) return { missing: name };
        values.push(value);
      }
      return new Rendered(values);
    },
  };
}

const isPart = (piece: string): boolean => piece.startsWith('{') && piece.endsWith('}');

const secretPart: Part = ({ secret }) => secret;
const newIdPart: Part = () => randomUUID();

function partOf(piece: string, { secret = false, newId = false }: TemplateOptions): Part {
  const inside = piece.slice(1, -1);
  if (secret && inside === 'secret') return secretPart;
  if (newId && inside === 'newId') return newIdPart;
  const colon = inside.indexOf(':');
  if (colon < 0 && Object.hasOwn(WHOLE_PARTS, inside)) return WHOLE_PARTS[inside] as Part;
  const kind = inside.slice(0, colon);
  const name = inside.slice(colon + 1);
  if (colon > 0 && name !== '' && Object.hasOwn(NAMED_PARTS, kind)) {
    return (NAMED_PARTS[kind] as (name: string) => Part)(name);
  }
  const known = [...Object.keys(WHOLE_PARTS), ...Object.keys(NAMED_PARTS).map((one) => `${one}:…`)].join(', ');
  throw new TemplateError(`${piece} is not a part of a request. Use one of ${known}, in braces.`);
}
