import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import { LessThan } from 'typeorm';
import { decodeCursor, encodeCursor, type ListName } from './page-cursor';
import { IsPlainText, MayBeLeftOut } from './rules';

/** A page of a list that has no filter. */
export class PageQuery {
  @ApiPropertyOptional({ description: 'Most items in the answer', minimum: 1, maximum: 500, default: 50, type: Number })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit = 50;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before', maxLength: 100 })
  @MayBeLeftOut()
  @IsPlainText(100)
  cursor?: string;
}

/** What TypeORM's find takes for such a page; the ids are UUIDv7, so their order is that of time. */
export function newestFirst(list: ListName, { cursor, limit }: PageQuery) {
  const below = decodeCursor(list, cursor);
  return { where: below === undefined ? {} : { id: LessThan(below) }, order: { id: 'DESC' as const }, take: limit };
}

export function cursorAfter(list: ListName, page: readonly { id: string }[], limit: number): string | null {
  const last = page.at(-1);
  return last && page.length === limit ? encodeCursor(list, last.id) : null;
}
