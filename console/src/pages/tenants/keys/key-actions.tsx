import { useState } from 'react';
import { FormDialog } from '../../../actions/form-dialog';
import { SwitchDialog } from '../../../actions/switch-dialog';
import { act, remove } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { Overlap } from '../../../parts/forms/overlap';
import { useMay } from '../../../session/caller';
import { ShownKey } from './shown-key';

const DAY_SECONDS = 86_400;

/** Rotates or revokes a key that works. The dialog stays when the key ends: it shows the key that takes its place. */
export function KeyActions({ apiKey, isLive }: { apiKey: Schema<'KeyResponse'>; isLive: boolean }) {
  const mayOwn = useMay('owner');
  const [open, setOpen] = useState<'rotate' | 'revoke'>();
  const close = () => setOpen(undefined);
  const { id, tenantId } = apiKey;
  if (!mayOwn) return null;
  return (
    <div className="actions">
      {isLive && (
        <>
          <button type="button" onClick={() => setOpen('rotate')}>
            Rotate …
          </button>
          <button type="button" className="danger-quiet" onClick={() => setOpen('revoke')}>
            Revoke …
          </button>
        </>
      )}
      {open === 'rotate' && <RotateKey apiKey={apiKey} onClose={close} />}
      {open === 'revoke' && (
        <SwitchDialog
          id={id}
          noun="key"
          of={{
            label: 'Revoke',
            effect: 'Requests with the key are refused from now on. It cannot be undone.',
            isFinal: true,
            run: () => remove('/v1/admin/tenants/{tenantId}/keys/{id}', { tenantId, id }),
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

function RotateKey({ apiKey: { id, tenantId }, onClose }: { apiKey: Schema<'KeyResponse'>; onClose: () => void }) {
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
