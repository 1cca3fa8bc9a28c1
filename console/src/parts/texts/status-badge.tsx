const TONES: Record<string, string> = {
  COMPLETED: 'good',
  DELIVERED: 'good',
  SUCCESS: 'good',
  accepted: 'good',
  handshake: 'good',
  RESUBMITTED: 'good',
  passed: 'good',
  active: 'good',
  connected: 'good',
  closed: 'good',
  up: 'good',
  ready: 'good',
  DLQ: 'bad',
  FAILED: 'bad',
  rejected: 'bad',
  unverified: 'bad',
  unavailable: 'bad',
  failed: 'bad',
  disabled: 'bad',
  open: 'bad',
  down: 'bad',
  'not-ready': 'bad',
  RETRYING: 'warn',
  RETRY: 'warn',
  OPEN: 'warn',
  'needs secret': 'warn',
  paused: 'warn',
  'half-open': 'warn',
  degraded: 'warn',
};

/** A status as a word. The colour only repeats what the word says. */
export function StatusBadge({ status }: { status: string }) {
  return <span className={`badge ${TONES[status] ?? 'plain'}`}>{status}</span>;
}
