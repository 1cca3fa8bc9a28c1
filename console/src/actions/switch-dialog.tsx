import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { mayHaveActed } from '../api/problem';
import { Dialog } from '../parts/dialog';
import { Fault } from '../parts/fault';

/** One way to change the status of a thing. */
export interface Switch {
  /** `Pause` */
  label: string;
  /** The button that carries it out. Default: the label with the count, `Pause 1 destination` */
  button?: string;
  /** What follows from it. */
  effect: string;
  /** It cannot be undone. */
  isFinal?: boolean;
  run: (id: string) => Promise<unknown>;
}

interface Props {
  id: string;
  /** `destination` */
  noun: string;
  of: Switch;
  onClose: () => void;
}

/** Says what a change of status leads to, and carries it out. Doing it twice changes nothing more. */
export function SwitchDialog({ id, noun, of, onClose }: Props) {
  const client = useQueryClient();
  const [{ label, button = `${label} 1 ${noun}`, effect, isFinal = false, run }] = useState(of); // of when the dialog was opened
  const change = useMutation({
    mutationFn: () => run(id),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries(), // not awaited: reading again may take long
  });
  return (
    <Dialog title={`${label} this ${noun}`} isOpen mayClose={!change.isPending} onClose={onClose}>
      <div className="stack">
        <p>{effect}</p>
        {change.error && <Fault error={change.error} />}
        {mayHaveActed(change.error) && (
          <p className="hint">Pressing the button again is safe: doing it twice changes nothing more.</p>
        )}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={change.isPending}>
            {button.startsWith('Cancel') ? 'Close' : 'Cancel'}
          </button>
          <button
            type="button"
            className={isFinal ? 'danger' : 'primary'}
            disabled={change.isPending}
            onClick={() => change.mutate()}
          >
            {change.isPending ? 'Under way …' : button}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
