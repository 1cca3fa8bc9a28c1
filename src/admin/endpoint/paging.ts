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
export function IsListLimit(description: string): PropertyDecorator {
  return applyDecorators(
    Max(500),
    Min(1),
    IsInt(),
    Transform(({ value }: { value: unknown }) => wholeNumberOf(value)),
    MayBeLeftOut(),
    ApiCount(50, { required: false, description: `${description}. Default: 50`, minimum: 1, maximum: 500 }),
  );
}

/** Converts the digits of a query parameter. Any other text stays as it is, and IsInt rejects it. */
function wholeNumberOf(text: unknown): unknown {
  return typeof text === 'string' && /^[0-9]{1,15}$/.test(text) ? Number(text) : text;
}

export function IsCursor(): PropertyDecorator {
  return applyDecorators(
    IsPlainText(100),
    MayBeLeftOut(),
    ApiText(undefined, { required: false, description: '`nextCursor` of the previous page', maxLength: 100 }),
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

/** The lists that have cursors. Each list rejects the cursors of the other lists. */
export type ListName = 'events' | 'dlq' | 'audit' | 'replays';

const ID_BYTES = 16;
const CHECK_BYTES = 4;

/** Returns an opaque cursor for the page that starts below `id`. */
export function encodeCursor(list: ListName, id: string): string {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  return Buffer.concat([bytes, checkOf(list, bytes)]).toString('base64url');
}

/**
 * Returns the id in a cursor, or undefined if there is no cursor. The check bytes detect a damaged cursor and a cursor
 * of another list. The check needs no secret, because a forged cursor can only start the page at another id.
 * @throws Problem `invalid-request`
 */
export function decodeCursor(list: ListName, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const bytes = Buffer.from(cursor, 'base64url');
  const id = bytes.subarray(0, ID_BYTES);
  const intact = bytes.length === ID_BYTES + CHECK_BYTES && bytes.subarray(ID_BYTES).equals(checkOf(list, id));
  if (!intact || bytes.toString('base64url') !== cursor) {
    throw new Problem('invalid-request', 'The cursor is damaged or belongs to another list.', {
      errors: [
        {
          pointer: '/cursor',
          code: 'invalid-request',
          message: 'cursor must be the nextCursor of a previous page of this list',
        },
      ],
    });
  }
  const hex = id.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function checkOf(list: ListName, id: Buffer): Buffer {
  return createHash('sha256').update(list).update(id).digest().subarray(0, CHECK_BYTES);
}
