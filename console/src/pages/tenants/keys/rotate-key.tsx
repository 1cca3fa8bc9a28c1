import { useState } from 'react';
import { FormDialog } from '../../../actions/form-dialog';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { Overlap } from '../../../parts/forms/overlap';
import { ShownKey } from './shown-key';

const DAY_SECONDS = 86_400;

/** Makes a second key, which takes the place of this one, and shows it. */
export function RotateKey({
  apiKey: { id, tenantId },
  onClose,
}: {
  apiKey: Schema<'KeyResponse'>;
  onClose: () => void;
}) {
  const [overlapSeconds, setOverlapSeconds] = useState(DAY_SECONDS);
  return (
    <FormDialog
      title="Rotate this key"
      act="Make 1 key"
      run={() =>
        act('post', '/v1/admin/tenants/{tenantId}/keys/{id}/rotate', {
          path: { tenantId, id },
          body: { overlapSeconds },
        })
      }
      lost="A second key may have been made that nobody has seen. Close this window: if it is in the list, revoke it, and make another one."
      done={({ key }) => <ShownKey text={key} />}
      onClose={onClose}
    >
      <p>A second key with the same rights is made. Give it to the producer before the present one ends.</p>
      <Overlap label="The present key works" value={overlapSeconds} onChange={setOverlapSeconds} />
    </FormDialog>
  );
}
