import { numberIn, textIn } from '../../actions/form-values';
import type { Schema } from '../../api/endpoints';
import { Field } from '../../parts/forms/field';

type Fields = Pick<Schema<'TenantResponse'>, 'name' | 'eventsPerMinute' | 'bytesPerMinute' | 'weight'>;

/** The fields that a tenant is created with and that can be changed. */
export function TenantFields({ tenant }: { tenant?: Fields }) {
  const limit = { type: 'number', min: 0, step: 1, inputMode: 'numeric' } as const;
  return (
    <>
      <Field name="name" label="Name" required maxLength={200} defaultValue={tenant?.name} />
      <Field
        name="eventsPerMinute"
        label="Events a minute (0: no limit; empty: TENANT_RATE_LIMIT_PER_MINUTE)"
        {...limit}
        defaultValue={tenant?.eventsPerMinute ?? ''}
      />
      <Field
        name="bytesPerMinute"
        label="Bytes a minute (0: no limit; empty: TENANT_RATE_LIMIT_BYTES_PER_MINUTE)"
        {...limit}
        defaultValue={tenant?.bytesPerMinute ?? ''}
      />
      <Field
        name="weight"
        label="Weight beside other tenants that have a backlog (1 to 100)"
        type="number"
        min={1}
        max={100}
        step={1}
        inputMode="numeric"
        required
        defaultValue={tenant?.weight ?? 1}
      />
    </>
  );
}

export const tenantFieldsIn = (form: FormData): Fields => ({
  name: textIn(form, 'name') ?? '',
  eventsPerMinute: numberIn(form, 'eventsPerMinute'),
  bytesPerMinute: numberIn(form, 'bytesPerMinute'),
  weight: numberIn(form, 'weight') ?? 1,
});
