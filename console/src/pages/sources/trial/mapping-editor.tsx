import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { sourceRequestsQuery } from '../../../api/queries';
import { formatInstant } from '../../../format/times';
import { Dialog } from '../../../parts/dialog';
import { Fault } from '../../../parts/fault';
import { useSettled } from '../../../parts/hooks/use-settled';
import { draftOf, isWhole, testRequestOf } from './test-draft';
import { TestResult } from './test-result';
import { tryRequest } from './try-request';

interface Props {
  source: Schema<'SourceResponse'>;
  provider: Schema<'ProviderResponse'>;
  onClose: () => void;
}

const TYPING_MS = 500;

/** Changes the mapping, and shows at each change what one of the last requests would become. */
export function MappingEditor({ source, provider, onClose }: Props) {
  const client = useQueryClient();
  const ids = { mapping: useId(), request: useId() };
  const [text, setText] = useState(() => JSON.stringify(source.mapping, null, 2));
  const requests = useQuery({ ...sourceRequestsQuery(source.id), refetchInterval: false });
  const samples = requests.data?.requests.filter(isWhole) ?? [];
  const [chosen, setChosen] = useState<string>();
  const sample = samples.find(({ id }) => id === chosen) ?? samples[0];
  const read = mappingIn(text);
  const settled = useSettled(text, TYPING_MS);
  const result = useQuery({
    queryKey: ['try-mapping', source.id, sample?.id, settled],
    queryFn: () => {
      const mapping = mappingIn(settled);
      if (!sample || 'fault' in mapping) throw new Error('there is nothing to try'); // the query is not enabled then
      return tryRequest(source.id, { ...testRequestOf(draftOf(sample)), mapping: mapping.mapping });
    },
    enabled: sample !== undefined && !('fault' in mappingIn(settled)),
    placeholderData: keepPreviousData,
    ...{ retry: false, staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false },
  });
  const save = useMutation({
    mutationFn: (mapping: Record<string, unknown>) =>
      act('patch', '/v1/admin/sources/{id}', { path: { id: source.id }, body: { mapping } }),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'try-mapping' }),
  });
  return (
    <Dialog title="Edit the mapping" isOpen isWide mayClose={!save.isPending} onClose={onClose}>
      <div className="stack">
        <p>
          Fields that are left out are mapped as the preset says: <code>{JSON.stringify(provider.mapping)}</code>
        </p>
        <label htmlFor={ids.mapping}>Mapping: JSON Pointers, JSONata, templates, or lists of these</label>
        <textarea
          id={ids.mapping}
          className="editor"
          rows={8}
          spellCheck={false}
          value={text}
          aria-invalid={'fault' in read}
          readOnly={save.isPending}
          onChange={(event) => setText(event.target.value)}
        />
        {'fault' in read && <p className="fault">{read.fault}</p>}
        {samples.length === 0 ? (
          <p className="hint">There is no request to try it on yet. Bodies of more than 2 KB are not kept whole.</p>
        ) : (
          <>
            <label htmlFor={ids.request}>Tried on</label>
            <select id={ids.request} value={sample?.id} onChange={(event) => setChosen(event.target.value)}>
              {samples.map(({ id, request, result: was }) => (
                <option key={id} value={id}>
                  {formatInstant(request.receivedAt)}, {was}
                </option>
              ))}
            </select>
          </>
        )}
        {result.error && <Fault error={result.error} />}
        {result.data && !result.error && <TestResult tried={result.data} />}
        {save.error && <Fault error={save.error} />}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={save.isPending}>
            Cancel
          </button>
          <button
            type="button"
            className="primary"
            disabled={'fault' in read || save.isPending}
            onClick={() => 'mapping' in read && save.mutate(read.mapping)}
          >
            {save.isPending ? 'Saving …' : 'Save the mapping'}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function mappingIn(text: string): { mapping: Record<string, unknown> } | { fault: string } {
  try {
    const mapping: unknown = JSON.parse(text);
    if (typeof mapping === 'object' && mapping !== null && !Array.isArray(mapping)) {
      return { mapping: mapping as Record<string, unknown> };
    }
    return { fault: 'The mapping must be a JSON object.' };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}
