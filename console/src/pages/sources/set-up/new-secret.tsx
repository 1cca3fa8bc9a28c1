import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { mayHaveActed } from '../../../api/problem';
import { Dialog } from '../../../parts/dialog';
import { Fault } from '../../../parts/fault';
import { Overlap } from '../../../parts/forms/overlap';

const DAY_SECONDS = 86_400;

interface Props {
  source: Schema<'SourceResponse'>;
  /** What the provider calls its secret, and where it shows it. */
  secret: string;
  onClose: () => void;
}

/** Gives a source the secret that its requests are signed with. */
export function NewSecret({ source, secret: meaning, onClose }: Props) {
  const client = useQueryClient();
  const id = useId();
  const [secret, setSecret] = useState('');
  const [overlapSeconds, setOverlapSeconds] = useState(DAY_SECONDS);
  const rotate = useMutation({
    mutationFn: () =>
      act('post', '/v1/admin/sources/{id}/rotate-secret', {
        path: { id: source.id },
        body: { secret, overlapSeconds },
      }),
    onSuccess: onClose,
    onSettled: () => void client.invalidateQueries(),
  });
  // The same request again changes nothing; another one would push out the secret that requests are signed with.
  const isUnknown = mayHaveActed(rotate.error);
  const isLocked = rotate.isPending || isUnknown;
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (secret !== '' && !rotate.isPending) rotate.mutate();
  }
  return (
    <Dialog title="New secret" isOpen mayClose={!rotate.isPending} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <label htmlFor={id}>The secret: {meaning}</label>
        <input
          id={id}
          type="password"
          autoComplete="off"
          value={secret}
          readOnly={isLocked}
          onChange={(event) => setSecret(event.target.value)}
        />
        {source.secretHints.length > 0 && (
          <Overlap
            label="The present secret counts"
            value={overlapSeconds}
            disabled={isLocked}
            onChange={setOverlapSeconds}
          />
        )}
        <p className="hint">It is stored encrypted, and no response contains it.</p>
        {rotate.error && <Fault error={rotate.error} />}
        {isUnknown && (
          <p className="hint">
            The secret may have been stored. Pressing the button again is safe: the source gets the secret once.
          </p>
        )}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={rotate.isPending}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={secret === '' || rotate.isPending}>
            {rotate.isPending ? 'Under way …' : 'Store 1 secret'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
