import { useMutation } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { formatDuration } from '../../format/times';
import { Dialog } from '../../parts/dialog';
import { Fault } from '../../parts/fault';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { ShownRequest } from './shown-request';

/** Sends a made-up or a stored event once. Nothing is recorded or retried. */
export function TestDialog({ destinationId, onClose }: { destinationId: string; onClose: () => void }) {
  const [eventId, setEventId] = useState('');
  const id = useId();
  const test = useMutation({
    mutationFn: () => {
      const body = eventId.trim() === '' ? {} : { eventId: eventId.trim() };
      return act('post', '/v1/admin/destinations/{id}/test', { path: { id: destinationId }, body });
    },
  });
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (!test.isPending) test.mutate();
  }
  return (
    <Dialog title="Send a test" isOpen isWide mayClose={!test.isPending} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p>The destination gets one request now. It is not recorded and not tried again.</p>
        <label htmlFor={id}>Id of a stored event (empty: a made-up event)</label>
        <input
          id={id}
          value={eventId}
          onChange={(event) => setEventId(event.target.value)}
          spellCheck={false}
          autoComplete="off"
        />
        {test.error && <Fault error={test.error} />}
        {test.data && <TestResult result={test.data} />}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={test.isPending}>
            Close
          </button>
          <button type="submit" className="primary" disabled={test.isPending}>
            {test.isPending ? 'Sending …' : 'Send 1 request'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function TestResult({ result }: { result: Schema<'TestDeliveryResponse'> }) {
  const { delivered, status, reasonCode, message, durationMs, request } = result;
  return (
    <div role="status" className="stack">
      <p>
        <StatusBadge status={delivered ? 'DELIVERED' : 'FAILED'} />
        {status !== null && ` HTTP ${status}`}
        {reasonCode !== null && ` ${reasonCode}`} after {formatDuration(durationMs)}
      </p>
      {message !== '' && (
        <p>
          <Text>{message}</Text>
        </p>
      )}
      {request && (
        <details>
          <summary>What was sent</summary>
          <ShownRequest of={request} />
        </details>
      )}
    </div>
  );
}
