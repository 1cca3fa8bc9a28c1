import { Fault } from '../fault';

interface Props {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
  error: unknown;
  shown: string;
}

/**
 * The end of a list: how much is shown, and a button for more. A page of a list looks through a bounded number of rows, so
 * it may be short or empty although there are more.
 */
export function MoreRows({ hasNextPage, isFetchingNextPage, fetchNextPage, error, shown }: Props) {
  return (
    <div className="more">
      <span role="status">{hasNextPage ? `${shown}; there are more` : shown}</span>
      {hasNextPage && (
        <button type="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? 'Loading …' : 'Show more'}
        </button>
      )}
      {error !== null && error !== undefined && <Fault error={error} />}
    </div>
  );
}
