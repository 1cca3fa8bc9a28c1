import { notifyManager, useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/problem';
import { formatClock } from '../format/times';

/** Says when something on the page was read before, and could not be read again. */
export function StaleBanner() {
  const cache = useQueryClient().getQueryCache();
  const subscribe = useCallback((onChange: () => void) => cache.subscribe(notifyManager.batchCalls(onChange)), [cache]);
  const stale = useSyncExternalStore(subscribe, () =>
    cache
      .findAll({ type: 'active' })
      .map(({ state }) => state)
      // A list that cannot be read on says so at its end.
      .find(({ status, data, fetchMeta }) => status === 'error' && data !== undefined && !fetchMeta?.fetchMore),
  );
  if (!stale) return null;
  const code = stale.error instanceof ApiProblem ? stale.error.code : 'no response';
  return (
    <p className="banner" role="status">
      Something could not be read again ({code}). What you see is as of {formatClock(stale.dataUpdatedAt)}.
    </p>
  );
}
