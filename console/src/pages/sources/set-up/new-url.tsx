import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { act } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { Dialog } from '../../../parts/dialog';
import { Fault } from '../../../parts/fault';
import { Overlap } from './overlap';
import { ShownUrl } from './shown-url';

const DAY_SECONDS = 86_400;

/** Gives a source another URL, and shows it. */
export function NewUrl({ source, onClose }: { source: Schema<'SourceResponse'>; onClose: () => void }) {
  const client = useQueryClient();
  const [overlapSeconds, setOverlapSeconds] = useState(DAY_SECONDS);
  const rotate = useMutation({
    mutationFn: () =>
      act('post', '/v1/admin/sources/{id}/rotate-token', { path: { id: source.id }, body: { overlapSeconds } }),
    onSettled: () => client.invalidateQueries(),
  });
  return (
    <Dialog title="New URL" isOpen mayClose={!rotate.isPending} onClose={onClose}>
      <div className="stack">
        {!rotate.data && (
          <>
            <p>The source gets another URL. Give it to the producer before the present one ends.</p>
            <Overlap label="The present URL works" value={overlapSeconds} onChange={setOverlapSeconds} />
          </>
        )}
        {rotate.error && <Fault error={rotate.error} />}
        {rotate.data && <ShownUrl url={rotate.data.url} />}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={rotate.isPending}>
            {rotate.data ? 'Close' : 'Cancel'}
          </button>
          {!rotate.data && (
            <button type="button" className="primary" disabled={rotate.isPending} onClick={() => rotate.mutate()}>
              {rotate.isPending ? 'Under way …' : 'Make 1 URL'}
            </button>
          )}
        </div>
      </div>
    </Dialog>
  );
}
