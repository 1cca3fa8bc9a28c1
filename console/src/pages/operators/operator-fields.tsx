import { useId } from 'react';
import { instantIn, localMinute, textIn, wordsIn } from '../../actions/form-values';
import type { Schema } from '../../api/endpoints';
import { Field } from '../../parts/forms/field';

type Fields = Pick<Schema<'OperatorResponse'>, 'name' | 'role' | 'tenantIds' | 'expiresAt'>;

const ROLES: [Schema<'OperatorRole'>, string][] = [
  ['viewer', 'viewer: sees lists, no payloads'],
  ['support', 'support: sees payloads, retries and discards'],
  ['operator', 'operator: replays, destinations, sources'],
  ['owner', 'owner: tenants, keys, operators, erasures'],
];

/** The fields that an operator is created with and that can be changed. */
export function OperatorFields({ operator }: { operator?: Fields }) {
  const id = useId();
  return (
    <>
      <Field
        name="name"
        label="Name, as the audit trail shows it"
        required
        maxLength={200}
        defaultValue={operator?.name}
      />
      <label htmlFor={id}>Role</label>
      <select id={id} name="role" defaultValue={operator?.role ?? 'viewer'}>
        {ROLES.map(([role, meaning]) => (
          <option key={role} value={role}>
            {meaning}
          </option>
        ))}
      </select>
      <Field
        name="tenantIds"
        label="Tenants that the operator is bound to (empty: all)"
        placeholder="acme, globex"
        defaultValue={operator?.tenantIds?.join(', ')}
      />
      <Field
        name="expiresAt"
        label="Expires (local time; empty: never)"
        type="datetime-local"
        defaultValue={localMinute(operator?.expiresAt ?? null)}
      />
    </>
  );
}

export const operatorFieldsIn = (form: FormData): Fields => ({
  name: textIn(form, 'name') ?? '',
  role: ROLES.find(([role]) => role === form.get('role'))?.[0] ?? 'viewer',
  tenantIds: wordsIn(form, 'tenantIds'),
  expiresAt: instantIn(form, 'expiresAt'),
});

/** The fields that differ. The field of the expiry shows minutes alone, so it is sent only when it was changed. */
export function changesIn(form: FormData, operator: Fields): Schema<'OperatorChangeRequest'> {
  const { name, role, tenantIds, expiresAt } = operatorFieldsIn(form);
  return {
    ...(name === operator.name ? {} : { name }),
    ...(role === operator.role ? {} : { role }),
    ...(JSON.stringify(tenantIds) === JSON.stringify(operator.tenantIds) ? {} : { tenantIds }),
    ...(textIn(form, 'expiresAt') === (localMinute(operator.expiresAt) || undefined) ? {} : { expiresAt }),
  };
}
