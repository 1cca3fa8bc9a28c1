import { Fault } from './fault';

/** In place of what is being read: that it loads, or why it could not be read. */
export function Pending({ error, refetch }: { error: unknown; refetch: () => unknown }) {
  if (error) return <Fault error={error} onRetry={() => void refetch()} />;
  return <p className="wait">Loading …</p>;
}
