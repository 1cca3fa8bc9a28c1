import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { FormDialog } from '../../../actions/form-dialog';
import { textIn } from '../../../actions/form-values';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { providersQuery } from '../../../api/queries';
import { Field } from '../../../parts/forms/field';
import { Pending } from '../../../parts/pending';
import { ShownUrl } from './shown-url';

/** Creates a source of a preset, or of a producer whose signature and fields are described here. */
export function NewSource({ tenantId, onClose }: { tenantId: string; onClose: () => void }) {
  const providers = useQuery(providersQuery);
  return (
    <FormDialog
      title="New source"
      act="Create 1 source"
      isReady={providers.data !== undefined}
      run={(form) => act('post', '/v1/admin/sources', { body: sourceIn(form) })}
      lost="The source may have been created. Look at the list before you try again; a source there can be given a new URL."
      done={(source) => (
        <>
          <ShownUrl url={source.url} />
          <p>
            <Link to="/sources/$sourceId" params={{ sourceId: source.id }}>
              What to do next
            </Link>
          </p>
        </>
      )}
      onClose={onClose}
    >
      {providers.data ? (
        <SourceFields providers={providers.data.sourceProviders} tenantId={tenantId} />
      ) : (
        <Pending {...providers} />
      )}
    </FormDialog>
  );
}

const VERIFICATION = `{
  "scheme": "hmac", "algorithm": "sha256", "encoding": "hex",
  "header": "x-signature", "signed": "{body}"
}`;
const MAPPING = `{ "eventType": "/type", "subject": "/id", "eventId": "/id" }`;

/** A preset has its verification and its mapping; these are fields for another producer only. */
function SourceFields({ providers, tenantId }: { providers: Schema<'ProviderResponse'>[]; tenantId: string }) {
  const [provider, setProvider] = useState(providers[0]?.id ?? 'custom');
  const ids = { provider: useId(), rule: useId(), mapping: useId() };
  const preset = providers.find(({ id }) => id === provider);
  const isCustom = preset?.verification === null;
  return (
    <>
      <Field name="tenant" label="Tenant" defaultValue={tenantId} required />
      <Field name="name" label="Name (it becomes the source of the events)" required />
      <label htmlFor={ids.provider}>Provider</label>
      <select id={ids.provider} name="provider" value={provider} onChange={(event) => setProvider(event.target.value)}>
        {providers.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      {isCustom && (
        <>
          <label htmlFor={ids.rule}>Verification, as JSON</label>
          <textarea id={ids.rule} name="verification" className="editor" rows={4} defaultValue={VERIFICATION} />
          <label htmlFor={ids.mapping}>Mapping, as JSON: JSON Pointers or JSONata</label>
          <textarea id={ids.mapping} name="mapping" className="editor" rows={2} defaultValue={MAPPING} />
        </>
      )}
      <Field name="secret" label={`Secret (may follow later): ${preset?.secret ?? ''}`} type="password" />
    </>
  );
}

/** @throws Error that says what is wrong with a field */
function sourceIn(form: FormData): Schema<'SourceRequest'> {
  const secret = form.get('secret');
  const [verification, mapping] = [textIn(form, 'verification'), textIn(form, 'mapping')];
  return {
    tenantId: textIn(form, 'tenant') ?? '',
    name: textIn(form, 'name') ?? '',
    provider: textIn(form, 'provider') ?? 'custom',
    ...(typeof secret === 'string' && secret !== '' ? { secrets: [secret] } : {}),
    ...(form.has('verification') ? { verification: objectIn(verification), mapping: objectIn(mapping) } : {}),
  };
}

/** @throws Error that says what is wrong with the text */
function objectIn(text = ''): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error('Verification and mapping must be JSON objects.');
}
