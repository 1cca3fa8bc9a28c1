import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState, type FormEvent } from 'react';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { mayHaveActed } from '../../../api/problem';
import { providersQuery } from '../../../api/queries';
import { Dialog } from '../../../parts/dialog';
import { Fault } from '../../../parts/fault';
import { Pending } from '../../../parts/pending';
import { ShownUrl } from './shown-url';

/** Creates a source of a preset, or of a producer whose signature and fields are described here. */
export function NewSource({ tenantId, onClose }: { tenantId: string; onClose: () => void }) {
  const client = useQueryClient();
  const providers = useQuery(providersQuery);
  const create = useMutation({
    mutationFn: (body: Schema<'SourceRequest'>) => act('post', '/v1/admin/sources', { body }),
    onSettled: () => client.invalidateQueries(),
  });
  const { data: source, error, isPending } = create;
  return (
    <Dialog title="New source" isOpen isWide mayClose={!isPending} onClose={onClose}>
      <div className="stack">
        {!providers.data && <Pending {...providers} />}
        {providers.data && !source && (
          <SourceForm
            providers={providers.data.sourceProviders}
            tenantId={tenantId}
            isBusy={isPending || mayHaveActed(error)}
            onSubmit={create.mutate}
          />
        )}
        {error && <Fault error={error} />}
        {mayHaveActed(error) && (
          <p className="hint">
            The source may have been created. Look at the list before you try again; a source there can be given a new
            URL.
          </p>
        )}
        {source && (
          <>
            <ShownUrl url={source.url} />
            <p>
              <Link to="/sources/$sourceId" params={{ sourceId: source.id }}>
                What to do next
              </Link>
            </p>
          </>
        )}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={isPending}>
            {source ? 'Close' : 'Cancel'}
          </button>
          {!source && (
            <button
              type="submit"
              form={FORM}
              className="primary"
              disabled={isPending || mayHaveActed(error) || !providers.data}
            >
              {isPending ? 'Creating …' : 'Create 1 source'}
            </button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

const FORM = 'new-source';
const VERIFICATION = `{
  "scheme": "hmac", "algorithm": "sha256", "encoding": "hex",
  "header": "x-signature", "signed": "{body}"
}`;
const MAPPING = `{ "eventType": "/type", "subject": "/id", "eventId": "/id" }`;

interface FormProps {
  providers: Schema<'ProviderResponse'>[];
  tenantId: string;
  isBusy: boolean;
  onSubmit: (body: Schema<'SourceRequest'>) => void;
}

function SourceForm({ providers, tenantId, isBusy, onSubmit }: FormProps) {
  const [provider, setProvider] = useState(providers[0]?.id ?? 'custom');
  const [fault, setFault] = useState<string>();
  const ids = { tenant: useId(), name: useId(), provider: useId(), secret: useId(), rule: useId(), mapping: useId() };
  const preset = providers.find(({ id }) => id === provider);
  const isCustom = preset?.verification === null;
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    const { tenant = '', name = '', secret = '', verification = '', mapping = '' } = fields;
    try {
      onSubmit({
        ...{ tenantId: tenant.trim(), name: name.trim(), provider },
        ...(secret === '' ? {} : { secrets: [secret] }),
        ...(isCustom ? { verification: objectIn(verification), mapping: objectIn(mapping) } : {}),
      });
      setFault(undefined);
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  }
  return (
    <form id={FORM} className="stack" onSubmit={submit}>
      <label htmlFor={ids.tenant}>Tenant</label>
      <input id={ids.tenant} name="tenant" defaultValue={tenantId} required spellCheck={false} autoComplete="off" />
      <label htmlFor={ids.name}>Name (it becomes the source of the events)</label>
      <input id={ids.name} name="name" required spellCheck={false} autoComplete="off" />
      <label htmlFor={ids.provider}>Provider</label>
      <select id={ids.provider} value={provider} onChange={(event) => setProvider(event.target.value)}>
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
      <label htmlFor={ids.secret}>Secret (may follow later): {preset?.secret}</label>
      <input id={ids.secret} name="secret" type="password" autoComplete="off" readOnly={isBusy} />
      {fault !== undefined && <p className="fault">{fault}</p>}
    </form>
  );
}

/** @throws Error that says what is wrong with the text */
function objectIn(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error('Verification and mapping must be JSON objects.');
}
