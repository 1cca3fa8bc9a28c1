import { Link } from '@tanstack/react-router';
import { FormDialog } from '../../actions/form-dialog';
import { textIn } from '../../actions/form-values';
import { act } from '../../api/client';
import { Field } from '../../parts/forms/field';
import { TenantFields, tenantFieldsIn } from './tenant-fields';

/** Registers a tenant. A second request with the same id is refused. */
export function NewTenant({ onClose }: { onClose: () => void }) {
  return (
    <FormDialog
      title="New tenant"
      act="Create 1 tenant"
      run={(form) =>
        act('post', '/v1/admin/tenants', { body: { id: textIn(form, 'id') ?? '', ...tenantFieldsIn(form) } })
      }
      lost="The tenant may have been created. Close this window, and look at the list before you try again."
      done={({ id }) => (
        <p role="status">
          <strong>The tenant is registered.</strong>{' '}
          <Link to="/tenants/$tenantId" params={{ tenantId: id }}>
            Make an API key for it
          </Link>
        </p>
      )}
      onClose={onClose}
    >
      <Field name="id" label="Id: letters, digits and . _ : -" required maxLength={128} placeholder="acme" />
      <TenantFields />
    </FormDialog>
  );
}
