import { createHash } from 'node:crypto';
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import { Problem } from '../../event/problems';
import { ApiCount, ApiText } from '../../http/docs/api-fields';
import { IsPlainText, MayBeLeftOut } from './rules';

/**
 * Validates and documents `limit`. Decorators above a property run from the bottom up, but `applyDecorators` runs its
 * arguments from the top down. The arguments are therefore in reverse order.
 */
export function IsListLimit(description: string, { least = 1, most = 500, usual = 50 } = {}): PropertyDecorator {
  return applyDecorators(
    Max(most),
    Min(least),
    IsInt(),
    Transform(({ value }: { value: unknown }) => wholeNumberOf(value)),
    MayBeLeftOut(),
    ApiCount(usual, {
      required: false,
      description: `${description}. Default: ${usual}`,
      minimum: least,
      maximum: most,
    }),
  );
}

/** Converts the digits of a query parameter. Any other text stays as it is, and IsInt rejects it. */
export function wholeNumberOf(text: unknown): unknown {
  return typeof text === 'string' && /^[0-9]{1,15}$/.test(text) ? Number(text) : text;
}

export function IsCursor(maxLength = 100): PropertyDecorator {
  return applyDecorators(
    IsPlainText(maxLength),
    MayBeLeftOut(),
    ApiText(undefined, { required: false, description: '`nextCursor` of the previous page', minLength: 1, maxLength }),
  );
}

/** Selects a page of a list that has no filter. */
export class PageQuery {
  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

/**
 * Converts the query for SQL. The page holds up to `limit` ids that are lower than `below`. For the first page, `below`
 * is null.
 */
export function pageBelow(list: ListName, { cursor, limit }: PageQuery): { below: string | null; limit: number } {
  return { below: decodeCursor(list, cursor) ?? null, limit };
}

export function cursorAfter(list: ListName, page: readonly { id: string }[], limit: number): string | null {
  const last = page.at(-1);
  return last && page.length === limit ? encodeCursor(list, last.id) : null;
}

/** The same for a list whose ids are texts. The cursor has them as its only key column. */
export function cursorAfterKey(list: ListName, page: readonly { id: string }[], limit: number): string | null {
  const last = page.at(-1);
  return last && page.length === limit ? encodeKeyCursor(list, [last.id]) : null;
}

/** The lists that have cursors. Each list rejects the cursors of the other lists. */
export type ListName =
  | 'events'
  | 'dlq'
  | 'audit'
  | 'replays'
  | 'usage'
  | 'tenants'
  | 'keys'
  | 'operators'
  | 'sources'
  | 'rejections'
  | 'erasures'
  | 'deliveries'
  | 'conditions';

const ID_BYTES = 16;
const CHECK_BYTES = 4;

/** Returns an opaque cursor for the page that starts below `id`. */
export function encodeCursor(list: ListName, id: string): string {
  return withCheck(list, Buffer.from(id.replaceAll('-', ''), 'hex'));
}

/**
 * Returns the id in a cursor, or undefined if there is no cursor. The check bytes detect a damaged cursor and a cursor
 * of another list. The check needs no secret, because a forged cursor can only start the page at another id.
 * @throws Problem `invalid-request`
 */
export function decodeCursor(list: ListName, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = withoutCheck(list, cursor);
  if (id.length !== ID_BYTES) throw damagedCursor();
  const hex = id.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Returns an opaque cursor for the page that starts after the row with these key columns. */
export function encodeKeyCursor(list: ListName, key: readonly string[]): string {
  return withCheck(list, Buffer.from(JSON.stringify(key)));
}

/** Returns the `columns` key columns in a cursor. @throws Problem `invalid-request` */
export function decodeKeyCursor(list: ListName, cursor: string, columns: number): string[] {
  const key = parsedJson(withoutCheck(list, cursor).toString());
  // The check bytes need no secret, so the content may be anything.
  if (!Array.isArray(key) || key.length !== columns || !key.every(isStorableText)) throw damagedCursor();
  return key;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damagedCursor();
  }
}

/** PostgreSQL stores neither U+0000 nor a lone surrogate. */
function isStorableText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed();
}

function withCheck(list: ListName, bytes: Buffer): string {
  return Buffer.concat([bytes, checkOf(list, bytes)]).toString('base64url');
}

function withoutCheck(list: ListName, cursor: string): Buffer {
  const bytes = Buffer.from(cursor, 'base64url');
  const content = bytes.subarray(0, -CHECK_BYTES);
  const intact = content.length > 0 && bytes.subarray(-CHECK_BYTES).equals(checkOf(list, content));
  if (!intact || bytes.toString('base64url') !== cursor) throw damagedCursor();
  return content;
}

export function damagedCursor(): Problem {
  const message = 'cursor must be the nextCursor of a previous page of this list';
  return new Problem('invalid-request', 'The cursor is damaged or belongs to another list.', {
    errors: [{ pointer: '/cursor', code: 'invalid-request', message }],
  });
}

function checkOf(list: ListName, content: Buffer): Buffer {
  return createHash('sha256').update(list).update(content).digest().subarray(0, CHECK_BYTES);
}
