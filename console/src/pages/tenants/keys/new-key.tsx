import { FormDialog } from '../../../actions/form-dialog';
import { instantIn, textIn, wordsIn } from '../../../actions/form-values';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { Choices } from '../../../parts/forms/choices';
import { Field } from '../../../parts/forms/field';
import { ShownKey } from './shown-key';

const SCOPES: readonly Schema<'KeyScope'>[] = ['ingest', 'read'];

/** Makes an API key and shows it. */
export function NewKey({ tenantId, onClose }: { tenantId: string; onClose: () => void }) {
  return (
    <FormDialog
      title={`New API key for ${tenantId}`}
      act="Create 1 key"
      run={(form) => act('post', '/v1/admin/tenants/{tenantId}/keys', { path: { tenantId }, body: keyIn(form) })}
      lost="The key may have been made, and nobody has seen it. Close this window: if it is in the list, revoke it, and make another one."
      done={({ key }) => <ShownKey text={key} />}
      onClose={onClose}
    >
      <Field name="name" label="Name of the producer" required maxLength={200} placeholder="till 17" />
      <Choices
        name="scopes"
        label="Scopes: ingest sends events, read reads events of the tenant"
        options={SCOPES}
        ticked={['ingest']}
      />
      <Field name="expiresAt" label="Expires (local time; empty: never)" type="datetime-local" />
      <Field name="allow" label="Networks that may use it, as CIDR (empty: all)" placeholder="203.0.113.0/24" />
    </FormDialog>
  );
}

/** @throws Error when no scope is ticked */
function keyIn(form: FormData): Schema<'KeyRequest'> {
  const scopes = SCOPES.filter((scope) => form.getAll('scopes').includes(scope));
  if (scopes.length === 0) throw new Error('Tick at least one scope.');
  return {
    name: textIn(form, 'name') ?? '',
    scopes,
    expiresAt: instantIn(form, 'expiresAt'),
    allow: wordsIn(form, 'allow'),
  };
}
