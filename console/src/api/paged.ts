/** How often what is on the page is read again, while its tab is in front. */
export const OFTEN_MS = 5_000;
export const SELDOM_MS = 30_000;
const PAGE = 50;

/** A list that is read page by page begins without a cursor. */
export const first = { initialPageParam: undefined as string | undefined };
export const next = ({ nextCursor }: { nextCursor: string | null }): string | undefined => nextCursor ?? undefined;
export const at = (cursor: string | undefined): { limit: number; cursor?: string } => ({
  limit: PAGE,
  ...(cursor === undefined ? {} : { cursor }),
});
