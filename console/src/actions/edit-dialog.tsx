import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type ReactNode } from 'react';
import { mayHaveActed } from '../api/problem';
import { faultOfJson } from '../json/exact-json';
import { Dialog } from '../parts/dialog';
import { Fault } from '../parts/fault';
import { onceKey } from './once-key';

export interface EditRun {
  /** JSON. It stands in the request as it was typed, so its numbers keep their digits. */
  text: string;
  dryRun: boolean;
  note: string | undefined;
  idempotencyKey: string | undefined;
}

interface Props<Result> {
  /** `Edit and retry` */
  title: string;
  /** What is edited. */
  label: string;
  initial: string;
  /** Something to know before editing. */
  remark?: string | undefined;
  /** Label of the button that only looks. */
  look: string;
  /** Label of the button that acts, with its count. */
  act: string;
  run: (options: EditRun) => Promise<Result>;
  /** What a dry run has found. */
  preview: (result: Result) => ReactNode;
  /** What was done. */
  done: (result: Result) => string;
  onClose: () => void;
}

/** Edits JSON, shows what follows from it, and then acts once. */
export function EditDialog<Result>(props: Props<Result>) {
  const { title, label, initial, remark, look, act, run, preview, done, onClose } = props;
  const client = useQueryClient();
  const [text, setText] = useState(initial);
  const [note, setNote] = useState('');
  const [idempotencyKey, setIdempotencyKey] = useState(onceKey);
  const ids = { text: useId(), note: useId() };
  const fault = faultOfJson(text);
  const send = (dryRun: boolean) =>
    run({ text, dryRun, note: note.trim() || undefined, idempotencyKey: dryRun ? undefined : idempotencyKey });
  const looking = useMutation({ mutationFn: () => send(true) });
  const acting = useMutation({ mutationFn: () => send(false), onSettled: () => void client.invalidateQueries() });
  const isBusy = looking.isPending || acting.isPending;
  const isLocked = isBusy || mayHaveActed(acting.error);

  /** Another text is another action. */
  function change(next: string): void {
    setText(next);
    setIdempotencyKey(onceKey());
    looking.reset();
    acting.reset();
  }
  return (
    <Dialog title={title} isOpen isWide mayClose={!acting.isPending} onClose={onClose}>
      <div className="stack">
        {!acting.data && (
          <>
            {remark !== undefined && <p className="note">{remark}</p>}
            <label htmlFor={ids.text}>{label}</label>
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
        {looking.error && <Fault error={looking.error} />}
        {looking.data && !acting.data && preview(looking.data)}
        {acting.error && <Fault error={acting.error} />}
        {mayHaveActed(acting.error) && (
          <p className="hint">Pressing the button again is safe: the action is carried out once.</p>
        )}
        {acting.data && (
          <p role="status">
            <strong>{done(acting.data)}</strong>
          </p>
        )}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={acting.isPending}>
            {acting.data ? 'Close' : 'Cancel'}
          </button>
          {!acting.data && !looking.data && (
            <button
              type="button"
              className="primary"
              disabled={fault !== undefined || isBusy}
              onClick={() => looking.mutate()}
            >
              {looking.isPending ? 'Looking …' : look}
            </button>
          )}
          {!acting.data && looking.data && (
            <button type="button" className="primary" disabled={isBusy} onClick={() => acting.mutate()}>
              {acting.isPending ? 'Under way …' : act}
            </button>
          )}
        </div>
      </div>
    </Dialog>
  );
}
