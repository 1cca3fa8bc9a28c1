import { useState } from 'react';
import { discardDeadLetters, replayEvents, retryDeadLetters } from '../../actions/bulk-actions';
import { eraseEvent } from '../../actions/erase-event';
import type { Schema } from '../../api/endpoints';
import { BulkButtons, type BulkButton } from '../../actions/bulk-buttons';
import { useMay } from '../../session/caller';
import { EditAndRetry } from './edit-and-retry';

/** What the role of the operator may do with the event as it stands. */
export function EventActions({ event, payload }: { event: Schema<'EventResponse'>; payload: string | undefined }) {
  const maySupport = useMay('support');
  const mayOperate = useMay('operator');
  const mayErase = useMay('owner') && payload !== undefined;
  const [isEditing, setIsEditing] = useState(false);
  const one = { tenantId: event.tenantId, eventIds: [event.id] };
  const isDead = event.status === 'DLQ';
  const hasFailedDelivery = event.deliveries.some(({ status }) => status === 'FAILED');
  const buttons: BulkButton[] = [
    ...(isDead && maySupport
      ? [
          { label: 'Retry …', isPrimary: true, action: retryDeadLetters(one) },
          { label: 'Discard …', action: discardDeadLetters(one) },
        ]
      : []),
    ...(mayOperate
      ? [
          { label: 'Republish …', action: replayEvents(one, 'republish') },
          { label: 'Reprocess …', action: replayEvents(one, 'reprocess') },
        ]
      : []),
    ...(mayErase ? [{ label: 'Erase …', action: eraseEvent(event.tenantId, event.id) }] : []),
  ];
  return (
    <>
      <BulkButtons buttons={buttons} />
      {mayOperate && payload !== undefined && (isDead || hasFailedDelivery) && (
        <button type="button" onClick={() => setIsEditing(true)}>
          Edit and retry …
        </button>
      )}
      {isEditing && payload !== undefined && (
        <EditAndRetry eventId={event.id} payload={payload} onClose={() => setIsEditing(false)} />
      )}
    </>
  );
}
