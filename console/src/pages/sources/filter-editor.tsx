import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { faultOfJson } from '../../json/exact-json';
import { Dialog } from '../../parts/dialog';
import { Fault } from '../../parts/fault';

/** Changes the filter of a source. An empty text means none: everything passes. */
export function FilterEditor({ source, onClose }: { source: Schema<'SourceResponse'>; onClose: () => void }) {
  const client = useQueryClient();
  const id = useId();
  const [text, setText] = useState(source.accept ? JSON.stringify(source.accept, null, 2) : '');
  const isEmpty = text.trim() === '';
  const fault = isEmpty ? undefined : faultOfJson(text);
  const save = useMutation({
    mutationFn: () =>
      act('patch', '/v1/admin/sources/{id}', {
        path: { id: source.id },
        bodyText: `{"accept":${isEmpty ? 'null' : text}}`, // numbers keep their digits
      }),
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries(),
  });
  return (
    <Dialog title="Edit the filter" isOpen isWide mayClose={!save.isPending} onClose={onClose}>
      <div className="stack">
        <p>
          What does not pass is answered as accepted, and is not stored. For example, invoices above 100:{' '}
          <code>{'{"type":{"$startsWith":"invoice."},"payload":{"amount":{"$gt":100}}}'}</code>
        </p>
        <label htmlFor={id}>Filter over the event, as JSON; empty: everything passes</label>
        <textarea
          id={id}
          className="editor"
          rows={8}
          spellCheck={false}
          value={text}
          aria-invalid={fault !== undefined}
          readOnly={save.isPending}
          onChange={(event) => setText(event.target.value)}
        />
        {fault !== undefined && <p className="fault">{fault}</p>}
        {save.error && <Fault error={save.error} />}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={save.isPending}>
            Cancel
          </button>
          <button
            type="button"
            className="primary"
            disabled={fault !== undefined || save.isPending}
            onClick={() => save.mutate()}
          >
            {save.isPending ? 'Saving …' : 'Save the filter'}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
