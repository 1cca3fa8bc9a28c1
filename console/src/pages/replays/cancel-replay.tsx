import { useState } from 'react';
import { SwitchDialog } from '../../actions/switch-dialog';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { countOf } from '../../format/numbers';
import { useMay } from '../../session/caller';

/** Stops what a replay has not begun, while there is any. */
export function CancelReplay({ replay }: { replay: Schema<'ReplayProgressResponse'> }) {
  const mayOperate = useMay('operator');
  const [isOpen, setIsOpen] = useState(false);
  const { replayId, status, progress } = replay;
  if (!mayOperate) return null;
  return (
    <>
      {status === 'RUNNING' && progress.pending > 0 && (
        <button type="button" onClick={() => setIsOpen(true)}>
          Cancel the rest …
        </button>
      )}
      {isOpen && (
        <SwitchDialog
          id={replayId}
          noun="replay"
          of={{
            label: 'Cancel the rest of',
            button: `Cancel ${countOf(progress.pending, 'event')}`,
            effect: 'Events that were not dispatched yet stay as they are. Those that were dispatched are processed.',
            run: (id) => act('post', '/v1/admin/replays/{replayId}/cancel', { path: { replayId: id } }),
          }}
          onClose={() => setIsOpen(false)}
        />
      )}
    </>
  );
}
