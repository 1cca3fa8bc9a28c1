import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { actText } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { mayHaveActed } from '../../api/problem';
import { pretty } from '../../json/pretty';
import { Dialog } from '../../parts/dialog';
import { Fault } from '../../parts/fault';
import { onceKey } from '../../actions/once-key';
import { changesOf, type Change } from './changes-of';
import { DiffView } from './diff-view';
import { faultOfJson, revisionText } from './revision-text';

type Revised = Schema<'RevisionResponse'> & { changes: Change[] };

/** Makes a new revision of the payload: edit, see the difference, send. The payload of before stays. */
export function EditAndRetry({ eventId, payload, onClose }: { eventId: string; payload: string; onClose: () => void }) {
  const client = useQueryClient();
  const [text, setText] = useState(() => pretty(payload));
  const [note, setNote] = useState('');
  const [idempotencyKey, setIdempotencyKey] = useState(onceKey);
  const ids = { text: useId(), note: useId() };
  const fault = faultOfJson(text);

  async function send(dryRun: boolean): Promise<Revised> {
    const responseText = await actText('post', '/v1/admin/events/{id}/revisions', {
      path: { id: eventId },
      bodyText: revisionText(text, { dryRun, note: note.trim() || undefined }),
      idempotencyKey: dryRun ? undefined : idempotencyKey,
    });
    return { ...(JSON.parse(responseText) as Schema<'RevisionResponse'>), changes: changesOf(responseText) };
  }
  const preview = useMutation({ mutationFn: () => send(true) });
  const revise = useMutation({ mutationFn: () => send(false), onSettled: () => client.invalidateQueries() });
  const isBusy = preview.isPending || revise.isPending;
  const isLocked = isBusy || mayHaveActed(revise.error);

  /** Another text is another action. */
  function change(next: string): void {
    setText(next);
    setIdempotencyKey(onceKey());
    preview.reset();
    revise.reset();
  }
  const done = revise.data;
  return (
    <Dialog title="Edit and retry" isOpen isWide mayClose={!revise.isPending} onClose={onClose}>
      <div className="stack">
        {!done && (
          <>
            <label htmlFor={ids.text}>New payload</label>
            <textarea
              id={ids.text}
              className="editor"
              rows={14}
              spellCheck={false}
              value={text}
              readOnly={isLocked}
              aria-invalid={fault !== undefined}
              onChange={(event) => change(event.target.value)}
            />
            {fault !== undefined && <p className="fault">{fault}</p>}
            <label htmlFor={ids.note}>Note for the audit trail (optional)</label>
            <input
              id={ids.note}
              value={note}
              maxLength={500}
              readOnly={isLocked}
              onChange={(event) => {
                setNote(event.target.value);
                setIdempotencyKey(onceKey());
              }}
            />
          </>
        )}
        {preview.error && <Fault error={preview.error} />}
        {preview.data && !done && <DiffView changes={preview.data.changes} isTruncated={preview.data.diffTruncated} />}
        {revise.error && <Fault error={revise.error} />}
        {mayHaveActed(revise.error) && (
          <p className="hint">Pressing the button again is safe: the revision is stored once.</p>
        )}
        {done && (
          <p role="status">
            <strong>
              Revision {done.revision} was stored{done.retried ? ', and the event is sent on.' : '.'}
            </strong>
          </p>
        )}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={revise.isPending}>
            {done ? 'Close' : 'Cancel'}
          </button>
          {!done && !preview.data && (
            <button
              type="button"
              className="primary"
              disabled={fault !== undefined || isBusy}
              onClick={() => preview.mutate()}
            >
              {preview.isPending ? 'Comparing …' : 'Show the difference'}
            </button>
          )}
          {!done && preview.data && (
            <button type="button" className="primary" disabled={isBusy} onClick={() => revise.mutate()}>
              {revise.isPending ? 'Under way …' : 'Store and retry 1 event'}
            </button>
          )}
        </div>
      </div>
    </Dialog>
  );
}
