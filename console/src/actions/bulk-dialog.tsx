import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState, type ReactNode } from 'react';
import { countOf, pluralOf } from '../format/numbers';
import type { EventSearch } from '../pages/events/event-search';
import { Dialog } from '../parts/dialog';
import { mayHaveActed } from '../api/problem';
import { Fault } from '../parts/fault';
import { Text } from '../parts/texts/text';
import { onceKey } from './once-key';
import { previewOf, resultOf, type Outcome } from './outcome';

export interface BulkRun {
  dryRun: boolean;
  note: string | undefined;
  idempotencyKey: string;
}

export interface BulkAction {
  /** `Retry` */
  verb: string;
  /** `retried` */
  done: string;
  /** `event` */
  noun: string;
  /** What follows from the action, in a sentence or two. */
  effect: ReactNode;
  /** A word of warning in the colour of danger: it cannot be undone. */
  isFinal?: boolean;
  /** The filter of a list of events in which one sees what becomes of them. */
  follow?: EventSearch | undefined;
  /** Whether the audit trail keeps a note of it. Default: true */
  takesNote?: boolean;
  run: (options: BulkRun) => Promise<Outcome>;
}

/** Counts with a dry run, names the count on the button, acts once, and says what became of it. */
export function BulkDialog({ action, onClose }: { action: BulkAction; onClose: () => void }) {
  const client = useQueryClient();
  const [idempotencyKey] = useState(onceKey); // one key for every press of the button in this dialog
  const [note, setNote] = useState('');
  const noteId = useId();
  const { verb, noun, done, isFinal = false, takesNote = true, follow } = action;
  const preview = useQuery({
    queryKey: ['dry-run', idempotencyKey],
    queryFn: () => action.run({ dryRun: true, note: undefined, idempotencyKey }),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const act = useMutation({
    mutationFn: () => action.run({ dryRun: false, note: note.trim() || undefined, idempotencyKey }),
    onSettled: () => void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'dry-run' }),
  });
  const matched = preview.data?.matched ?? 0;
  const mayAct = preview.isSuccess && matched > 0 && !act.isPending && !act.isSuccess;

  return (
    <Dialog title={`${verb} ${pluralOf(noun)}`} isOpen mayClose={!act.isPending} onClose={onClose}>
      <div className="stack">
        {preview.isPending && <p role="status">Counting …</p>}
        {preview.error && <Fault error={preview.error} onRetry={() => void preview.refetch()} />}
        {preview.data && !act.data && (
          <>
            <p role="status">
              <strong>{previewOf(preview.data, noun)}</strong>
            </p>
            <Remarks of={preview.data} />
            <Effect of={action} matched={matched} />
          </>
        )}
        {mayAct && takesNote && (
          <>
            <label htmlFor={noteId}>Note for the audit trail (optional)</label>
            <input
              id={noteId}
              value={note}
              maxLength={500}
              readOnly={mayHaveActed(act.error)}
              onChange={(event) => setNote(event.target.value)}
              autoComplete="off"
            />
          </>
        )}
        {act.error && <FaultOfAction error={act.error} />}
        {act.data && (
          <>
            <p role="status">
              <strong>{resultOf(act.data, noun, done)}</strong>
            </p>
            <Remarks of={act.data} />
            <Follow search={follow} onClose={onClose} />
            <ReplayLink of={act.data} />
          </>
        )}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={act.isPending}>
            {act.data ? 'Close' : 'Cancel'}
          </button>
          {!act.data && (
            <button
              type="button"
              className={isFinal ? 'danger' : 'primary'}
              disabled={!mayAct}
              onClick={() => act.mutate()}
            >
              {act.isPending ? 'Under way …' : labelOf(action, preview.data)}
            </button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Follow({ search, onClose }: { search: EventSearch | undefined; onClose: () => void }) {
  if (!search) return null;
  return (
    <p>
      <Link to="/events" search={search} onClick={onClose}>
        See what becomes of them
      </Link>
    </p>
  );
}

/** Names the count, once it is known. */
const labelOf = ({ verb, noun }: BulkAction, found: Outcome | undefined): string =>
  `${verb} ${found ? countOf(found.matched, noun) : pluralOf(noun)}`;

function Effect({ of: { effect }, matched }: { of: BulkAction; matched: number }) {
  return matched > 0 && <p>{effect}</p>;
}

function Remarks({ of: { remarks = [] } }: { of: Outcome }) {
  if (remarks.length === 0) return null;
  return (
    <ul className="lines">
      {remarks.map((remark) => (
        <li key={remark}>
          <Text>{remark}</Text>
        </li>
      ))}
    </ul>
  );
}

function ReplayLink({ of: { replayId } }: { of: Outcome }) {
  if (!replayId) return null;
  return (
    <p>
      <Link to="/replays/$replayId" params={{ replayId }}>
        Follow the replay
      </Link>
    </p>
  );
}

function FaultOfAction({ error }: { error: unknown }) {
  return (
    <>
      <Fault error={error} />
      <p className="hint">Pressing the button again is safe: the action is carried out once.</p>
    </>
  );
}
