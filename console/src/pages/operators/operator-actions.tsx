import { useState } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { SwitchDialog } from '../../actions/switch-dialog';
import { act, remove } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { useCaller } from '../../session/caller';
import { changesIn, OperatorFields } from './operator-fields';

/** Changes or revokes an operator. */
export function OperatorActions({ operator }: { operator: Schema<'OperatorResponse'> }) {
  const { name: caller } = useCaller();
  const [open, setOpen] = useState<'change' | 'revoke'>();
  const close = () => setOpen(undefined);
  const { id, name } = operator;
  const isOwn = name === caller;
  return (
    <div className="actions">
      <button type="button" onClick={() => setOpen('change')}>
        Change …
      </button>
      <button type="button" className="danger-quiet" onClick={() => setOpen('revoke')}>
        Revoke …
      </button>
      {open === 'change' && (
        <FormDialog
          title={`Change ${name}`}
          act="Change 1 operator"
          run={(form) => act('patch', '/v1/admin/operators/{id}', { path: { id }, body: changesIn(form, operator) })}
          onClose={close}
        >
          {isOwn && <p className="note">This is you. What you take from yourself, somebody else has to give back.</p>}
          <OperatorFields operator={operator} />
          <p className="hint">The token stays the same.</p>
        </FormDialog>
      )}
      {open === 'revoke' && (
        <SwitchDialog
          id={id}
          noun="operator"
          of={{
            label: 'Revoke',
            effect: isOwn
              ? 'This is you: you will be signed out, and your token is refused from now on. It cannot be undone.'
              : 'The token is refused from now on. It cannot be undone.',
            isFinal: true,
            run: () => remove('/v1/admin/operators/{id}', { id }),
          }}
          onClose={close}
        />
      )}
    </div>
  );
}
