import { EditDialog, type EditRun } from '../../actions/edit-dialog';
import { actText } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { pretty } from '../../json/pretty';
import { changesOf, type Change } from '../../json/changes-of';
import { DiffView } from '../../parts/texts/diff-view';
import { revisionText } from './revision-text';

type Revised = Schema<'RevisionResponse'> & { changes: Change[] };

/** Makes a new revision of the payload: edit, see the difference, send. The payload of before stays. */
export function EditAndRetry({ eventId, payload, onClose }: { eventId: string; payload: string; onClose: () => void }) {
  async function run({ text, dryRun, note, idempotencyKey }: EditRun): Promise<Revised> {
    const responseText = await actText('post', '/v1/admin/events/{id}/revisions', {
      path: { id: eventId },
      bodyText: revisionText(text, { dryRun, note }),
      idempotencyKey,
    });
    return { ...(JSON.parse(responseText) as Schema<'RevisionResponse'>), changes: changesOf(responseText) };
  }
  return (
    <EditDialog
      title="Edit and retry"
      label="New payload"
      initial={pretty(payload)}
      look="Show the difference"
      act="Store and retry 1 event"
      run={run}
      preview={({ changes, diffTruncated }) =>
        changes.length === 0 ? (
          <p className="note">The payload does not change. It can be retried as it is.</p>
        ) : (
          <DiffView caption="What changes" changes={changes} isTruncated={diffTruncated} />
        )
      }
      done={({ revision, retried }) =>
        `Revision ${revision} was stored${retried ? ', and the event is sent on.' : '.'}`
      }
      onClose={onClose}
    />
  );
}
