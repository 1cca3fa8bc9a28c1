import type { Schema } from '../../api/endpoints';
import { StatusBadge } from '../../parts/texts/status-badge';

/** A source that waits for its secret is active, but accepts nothing. */
export function SourceStatus({ source }: { source: Schema<'SourceResponse'> }) {
  const { status, needsSecret } = source;
  return <StatusBadge status={status === 'active' && needsSecret ? 'needs secret' : status} />;
}
