import type { ReactNode } from 'react';
import { countOf } from '../../format/numbers';
import { MoreRows } from './more-rows';
import { Pending } from '../pending';

interface PagedQuery {
  isPending: boolean;
  error: unknown;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

interface Props {
  list: PagedQuery;
  /** How many rows were read so far. */
  count: number;
  /** `event` */
  noun: string;
  /** Shown when there is no row at all. */
  empty: ReactNode;
  /** The table of the rows. */
  children: ReactNode;
}

/** A list that is read page by page: while it loads, when it fails, when it is empty, and its end. */
export function List({ list, count, noun, empty, children }: Props) {
  if (count === 0 && (list.isPending || list.error)) return <Pending {...list} />;
  if (count === 0 && !list.hasNextPage) return empty;
  return (
    <>
      {count > 0 && children}
      <MoreRows {...list} shown={countOf(count, noun)} />
    </>
  );
}
