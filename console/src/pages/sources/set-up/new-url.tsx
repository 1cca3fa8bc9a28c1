import { useId, useState } from 'react';
import { FormDialog } from '../../../actions/form-dialog';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { Instant } from '../../../parts/texts/instant';
import { Overlap } from '../../../parts/forms/overlap';
import { ShownUrl } from './shown-url';
import { lostResponse, urlRotation } from './url-rotation';

const DAY_SECONDS = 86_400;

/** Gives a source another URL, and shows it. Another request would push out the URL that the producer uses. */
export function NewUrl({ source, onClose }: { source: Schema<'SourceResponse'>; onClose: () => void }) {
  const id = useId();
  const [overlapSeconds, setOverlapSeconds] = useState(DAY_SECONDS);
  const [newestIsUnknown, setNewestIsUnknown] = useState(false);
  const [{ urlHint, previousUrlUntil }] = useState(source); // as it was before the request
  return (
    <FormDialog
      title="New URL"
      act="Make 1 URL"
      run={() =>
        act('post', '/v1/admin/sources/{id}/rotate-token', {
          path: { id: source.id },
          body: urlRotation(overlapSeconds, newestIsUnknown),
        })
      }
      lost={lostResponse(urlHint, source.urlHint)}
      done={({ url }) => <ShownUrl url={url} />}
      onClose={onClose}
    >
      <p>The source gets another URL. Give it to the producer before the present one ends.</p>
      {previousUrlUntil !== null && (
        <>
          <p className="note">
            The URL before {urlHint} works until <Instant at={previousUrlUntil} />. It ends at once when there is a new
            one, unless {urlHint} is the one that is given up.
          </p>
          <label htmlFor={id}>
            <input
              id={id}
              type="checkbox"
              checked={newestIsUnknown}
              onChange={(event) => setNewestIsUnknown(event.target.checked)}
            />{' '}
            {urlHint} never reached the producer: end it, and keep the one before it
          </label>
        </>
      )}
      {!newestIsUnknown && (
        <Overlap label="The present URL works" value={overlapSeconds} onChange={setOverlapSeconds} />
      )}
    </FormDialog>
  );
}
