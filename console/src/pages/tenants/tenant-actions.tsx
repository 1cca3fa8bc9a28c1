import { useState } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { SwitchDialog, type Switch } from '../../actions/switch-dialog';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { useMay } from '../../session/caller';
import { TenantFields, tenantFieldsIn } from './tenant-fields';

type Tenant = Schema<'TenantResponse'>;

const setStatus = (status: Tenant['status']) => (tenantId: string) =>
  act('patch', '/v1/admin/tenants/{tenantId}', { path: { tenantId }, body: { status } });

/** What can be done about each status. */
const SWITCHES: Record<Tenant['status'], Switch> = {
  active: {
    label: 'Suspend',
    effect:
      'Events of the tenant are refused with 403, and requests to its sources with 503. Events that were accepted before are processed and delivered.',
    isFinal: true,
    run: setStatus('suspended'),
  },
  suspended: {
    label: 'Activate',
    effect: 'Events of the tenant are accepted again. What was refused meanwhile does not come by itself.',
    run: setStatus('active'),
  },
};

export function TenantActions({ tenant }: { tenant: Tenant }) {
  const mayOwn = useMay('owner');
  const [open, setOpen] = useState<'switch' | 'change'>();
  const close = () => setOpen(undefined);
  const { id, status } = tenant;
  if (!mayOwn) return null;
  return (
    <>
      <button type="button" onClick={() => setOpen('change')}>
        Change …
      </button>
      <button type="button" onClick={() => setOpen('switch')}>
        {SWITCHES[status].label} …
      </button>
      {open === 'switch' && <SwitchDialog id={id} noun="tenant" of={SWITCHES[status]} onClose={close} />}
      {open === 'change' && (
        <FormDialog
          title="Change the tenant"
          act="Change 1 tenant"
          run={(form) =>
            act('patch', '/v1/admin/tenants/{tenantId}', { path: { tenantId: id }, body: tenantFieldsIn(form) })
          }
          onClose={close}
        >
          <TenantFields tenant={tenant} />
        </FormDialog>
      )}
    </>
  );
}
