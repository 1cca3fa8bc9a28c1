import { useState } from 'react';
import { SwitchDialog } from '../../../actions/switch-dialog';
import { remove } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { useMay } from '../../../session/caller';

interface Props {
  apiKey: Schema<'KeyResponse'>;
  isLive: boolean;
  onRotate: () => void;
}

/** Rotates or revokes a key that works. */
export function KeyActions({ apiKey, isLive, onRotate }: Props) {
  const mayOwn = useMay('owner');
  const [isRevoking, setIsRevoking] = useState(false);
  const { id, tenantId } = apiKey;
  if (!mayOwn) return null;
  return (
    <div className="actions">
      {isLive && (
        <>
          <button type="button" onClick={onRotate}>
            Rotate …
          </button>
          <button type="button" className="danger-quiet" onClick={() => setIsRevoking(true)}>
            Revoke …
          </button>
        </>
      )}
      {isRevoking && (
        <SwitchDialog
          id={id}
          noun="key"
          of={{
            label: 'Revoke',
            effect: 'Requests with the key are refused from now on. It cannot be undone.',
            isFinal: true,
            run: () => remove('/v1/admin/tenants/{tenantId}/keys/{id}', { tenantId, id }),
          }}
          onClose={() => setIsRevoking(false)}
        />
      )}
    </div>
  );
}
