import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { mayHaveActed } from '../../../api/problem';
import { Dialog } from '../../../parts/dialog';
import { Fault } from '../../../parts/fault';
import { Instant } from '../../../parts/texts/instant';
import { Overlap } from './overlap';
import { ShownUrl } from './shown-url';
import { lostResponse, urlRotation } from './url-rotation';

const DAY_SECONDS = 86_400;

/** Gives a source another URL, and shows it. */
export function NewUrl({ source, onClose }: { source: Schema<'SourceResponse'>; onClose: () => void }) {
  const client = useQueryClient();
  const id = useId();
  const [overlapSeconds, setOverlapSeconds] = useState(DAY_SECONDS);
  const [newestIsUnknown, setNewestIsUnknown] = useState(false);
  const [{ urlHint, previousUrlUntil }] = useState(source); // as it was before the request
  const rotate = useMutation({
    mutationFn: () =>
      act('post', '/v1/admin/sources/{id}/rotate-token', {
        path: { id: source.id },
        body: urlRotation(overlapSeconds, newestIsUnknown),
      }),
    onSettled: () => client.invalidateQueries(),
  });
  // Another request would push out the URL that the producer uses.
  const isUnknown = mayHaveActed(rotate.error);
  const isLocked = rotate.isPending || isUnknown;
  return (
    <Dialog title="New URL" isOpen mayClose={!rotate.isPending} onClose={onClose}>
      <div className="stack">
        {!rotate.data && (
          <>
            <p>The source gets another URL. Give it to the producer before the present one ends.</p>
            {previousUrlUntil !== null && (
              <>
                <p className="note">
                  The URL before {urlHint} works until <Instant at={previousUrlUntil} />. It ends at once when there is
                  a new one, unless {urlHint} is the one that is given up.
                </p>
                <label htmlFor={id}>
                  <input
                    id={id}
                    type="checkbox"
                    checked={newestIsUnknown}
                    disabled={isLocked}
                    onChange={(event) => setNewestIsUnknown(event.target.checked)}
                  />{' '}
                  {urlHint} never reached the producer: end it, and keep the one before it
                </label>
              </>
            )}
            {!newestIsUnknown && (
              <Overlap
                label="The present URL works"
                value={overlapSeconds}
                disabled={isLocked}
                onChange={setOverlapSeconds}
              />
            )}
          </>
        )}
        {rotate.error && <Fault error={rotate.error} />}
        {isUnknown && <p className="hint">{lostResponse(urlHint, source.urlHint)}</p>}
        {rotate.data && <ShownUrl url={rotate.data.url} />}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={rotate.isPending}>
            {rotate.data ? 'Close' : 'Cancel'}
          </button>
          {!rotate.data && (
            <button type="button" className="primary" disabled={isLocked} onClick={() => rotate.mutate()}>
              {rotate.isPending ? 'Under way …' : 'Make 1 URL'}
            </button>
          )}
        </div>
      </div>
    </Dialog>
  );
}
