import { useId, useState } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { faultOfJson } from '../../json/exact-json';

/** Changes the filter of a source. An empty text means none: everything passes. */
export function FilterEditor({ source, onClose }: { source: Schema<'SourceResponse'>; onClose: () => void }) {
  const id = useId();
  const [text, setText] = useState(source.accept ? JSON.stringify(source.accept, null, 2) : '');
  const isEmpty = text.trim() === '';
  const fault = isEmpty ? undefined : faultOfJson(text);
  return (
    <FormDialog
      title="Edit the filter"
      act="Save the filter"
      isReady={fault === undefined}
      run={() =>
        act('patch', '/v1/admin/sources/{id}', {
          path: { id: source.id },
          bodyText: `{"accept":${isEmpty ? 'null' : text}}`, // numbers keep their digits
        })
      }
      onClose={onClose}
    >
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
        onChange={(event) => setText(event.target.value)}
      />
      {fault !== undefined && <p className="fault">{fault}</p>}
    </FormDialog>
  );
}
