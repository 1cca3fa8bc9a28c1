import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import { ApiCount, ApiText } from '../../http/docs/api-fields';
import { decodeCursor, encodeCursor, type ListName } from './page-cursor';
import { IsPlainText, MayBeLeftOut } from './rules';

/** How many items a list holds, 50 when left out. In the order in which decorators over a property apply. */
export function IsListLimit(description: string): PropertyDecorator {
  return applyDecorators(
    Max(500),
    Min(1),
    IsInt(),
    Type(() => Number),
    MayBeLeftOut(),
    ApiCount(50, { required: false, description: `${description}. Default: 50`, minimum: 1, maximum: 500 }),
  );
}

export function IsCursor(): PropertyDecorator {
  return applyDecorators(
    IsPlainText(100),
    MayBeLeftOut(),
    ApiText(undefined, { required: false, description: '`nextCursor` of the page before', maxLength: 100 }),
  );
}

/** A page of a list that has no filter. */
export class PageQuery {
  @IsListLimit('Most items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

/** Below which id the page starts (null for the first page), and how many items it may have. */
export function pageBelow(list: ListName, { cursor, limit }: PageQuery): { below: string | null; limit: number } {
  return { below: decodeCursor(list, cursor) ?? null, limit };
}

export function cursorAfter(list: ListName, page: readonly { id: string }[], limit: number): string | null {
  const last = page.at(-1);
  return last && page.length === limit ? encodeCursor(list, last.id) : null;
}
