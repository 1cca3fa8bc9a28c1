import { useState, type FormEvent } from 'react';
import { BulkDialog, type BulkAction } from '../../actions/bulk-dialog';
import { backfillEvents } from '../../actions/bulk-actions';
import { instantIn, localMinute, numberIn, textIn } from '../../actions/form-values';
import { Dialog } from '../../parts/dialog';
import { Field } from '../../parts/forms/field';

const DAY_MS = 86_400_000;

/** Delivers stored events to one destination: asks which, counts them, and then acts. */
export function Backfill({ destinationId, onClose }: { destinationId: string; onClose: () => void }) {
  const [action, setAction] = useState<BulkAction>();
  const [aDayAgo] = useState(() => new Date(Date.now() - DAY_MS).toISOString());
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [type, ratePerSecond] = [textIn(form, 'type'), numberIn(form, 'rate')];
    const range = { from: instantIn(form, 'from') ?? aDayAgo, to: instantIn(form, 'to') ?? new Date().toISOString() };
    setAction(
      backfillEvents(destinationId, {
        ...range,
        ...(type === undefined ? {} : { type }),
        ...(ratePerSecond === null ? {} : { ratePerSecond }),
      }),
    );
  }
  if (action) return <BulkDialog action={action} onClose={onClose} />;
  return (
    <Dialog title="Backfill" isOpen isWide onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p>
          Stored events are delivered to this destination, oldest first. Nothing else gets them, and no handler runs.
        </p>
        <Field
          name="from"
          label="Received from (local time)"
          type="datetime-local"
          required
          defaultValue={localMinute(aDayAgo)}
        />
        <Field name="to" label="Received until (empty: now)" type="datetime-local" />
        <Field name="type" label="Type (empty: all types of the destination)" placeholder="order.*" maxLength={255} />
        <Field name="rate" label="At most per second (empty: no limit)" type="number" min={1} max={10_000} />
        <div className="actions end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary">
            Count the events
          </button>
        </div>
      </form>
    </Dialog>
  );
}
