import { useState } from 'react';
import { BulkButtons, type BulkButton } from '../../actions/bulk-buttons';
import { discardRejections, resubmitRejections } from '../../actions/rejection-actions';
import type { Schema } from '../../api/endpoints';
import { useMay } from '../../session/caller';
import { EditAndResubmit } from './edit-and-resubmit';

/** What the role of the operator may do with the rejection as it stands. */
export function RejectionActions({ rejection }: { rejection: Schema<'RejectionResponse'> }) {
  const mayOperate = useMay('operator');
  const [isEditing, setIsEditing] = useState(false);
  const { id, status, tenantId, erasedAt } = rejection;
  const one = { tenantId, ids: [id] };
  const isOpen = status === 'OPEN';
  const buttons: BulkButton[] = isOpen
    ? [
        { label: 'Resubmit …', isPrimary: true, action: resubmitRejections(one) },
        { label: 'Discard …', action: discardRejections(one) },
      ]
    : [];
  return (
    <>
      <BulkButtons buttons={buttons} />
      {mayOperate && status !== 'RESUBMITTED' && erasedAt === null && (
        <button type="button" onClick={() => setIsEditing(true)}>
          Edit and resubmit …
        </button>
      )}
      {isEditing && <EditAndResubmit rejection={rejection} onClose={() => setIsEditing(false)} />}
    </>
  );
}
