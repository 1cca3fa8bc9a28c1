import { Problem } from '../../event/problems';

const RETRY_AFTER_SECONDS = 60;

/** Returns the problem of a request that the source cannot take now. Providers disable a URL that answers 4xx. */
export function sourceUnavailable(reason: string): Problem {
  return new Problem('source-unavailable', `${reason} Send the request again later.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
