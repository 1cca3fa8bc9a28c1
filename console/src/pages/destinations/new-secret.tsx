import { useId, useState } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { ShownOnce } from '../../parts/copy/shown-once';
import { Overlap } from '../../parts/forms/overlap';
import { Instant } from '../../parts/texts/instant';

const DAY_SECONDS = 86_400;
const LOST =
  'The secret may have been changed. Close this window and look at "Old secret until" under Settings. If it has changed, ask for a new secret again, and say there that the newest one never reached the receiver.';

/** Gives a destination another signing secret, and shows it. Another request would push out the one that its receiver has. */
export function NewSecret({
  destination,
  onClose,
}: {
  destination: Schema<'DestinationResponse'>;
  onClose: () => void;
}) {
  const id = useId();
  const [overlapSeconds, setOverlapSeconds] = useState(DAY_SECONDS);
  const [newestIsUnknown, setNewestIsUnknown] = useState(false);
  const [{ previousSecretUntil }] = useState(destination); // as it was before the request
  return (
    <FormDialog
      title="New secret"
      act="Make 1 secret"
      run={() =>
        act('post', '/v1/admin/destinations/{id}/rotate-secret', {
          path: { id: destination.id },
          body: newestIsUnknown ? { overlapSeconds, keepPrevious: true } : { overlapSeconds },
        })
      }
      lost={LOST}
      done={({ secret }) => (
        <ShownOnce label="Signing secret" text={secret} copy="Copy the secret">
          The receiver verifies deliveries with it. It is shown only now. If it is lost, the destination can be given
          another one.
        </ShownOnce>
      )}
      onClose={onClose}
    >
      <p>
        Deliveries are signed with both secrets while the present one counts. Give the receiver the new one before that
        ends.
      </p>
      {previousSecretUntil !== null && (
        <>
          <p className="note">
            The secret before the present one counts until <Instant at={previousSecretUntil} />. It ends at once when
            there is a new one, unless the present one is given up.
          </p>
          <label htmlFor={id}>
            <input
              id={id}
              type="checkbox"
              checked={newestIsUnknown}
              onChange={(event) => setNewestIsUnknown(event.target.checked)}
            />{' '}
            The present secret never reached the receiver: end it, and keep the one before it
          </label>
        </>
      )}
      {!newestIsUnknown && (
        <Overlap label="The present secret counts" value={overlapSeconds} onChange={setOverlapSeconds} />
      )}
    </FormDialog>
  );
}
