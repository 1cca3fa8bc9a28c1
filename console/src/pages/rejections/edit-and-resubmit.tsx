import { EditDialog, type EditRun } from '../../actions/edit-dialog';
import { resultOf } from '../../actions/outcome';
import { outcomeOf } from '../../actions/resubmission-outcome';
import { actText } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { memberText } from '../../json/exact-json';
import { pretty } from '../../json/pretty';
import { Text } from '../../parts/texts/text';
import { editable, resubmissionText } from './edited-rejection';

interface Seen {
  response: Schema<'ResubmitResponse'>;
  /** The event as JSON text, in which numbers have all their digits. */
  preview: string;
}

/** Resubmits a rejection with other content. The bytes that were received stay. */
export function EditAndResubmit({
  rejection,
  onClose,
}: {
  rejection: Schema<'RejectionResponse'>;
  onClose: () => void;
}) {
  const initial = editable(rejection.rawText);
  async function run({ text, dryRun, note, idempotencyKey }: EditRun): Promise<Seen> {
    const responseText = await actText('post', '/v1/admin/rejections/resubmit', {
      bodyText: resubmissionText(rejection, text, { dryRun, note }),
      idempotencyKey,
    });
    const response = JSON.parse(responseText) as Schema<'ResubmitResponse'>;
    return { response, preview: pretty(memberText(responseText, 'preview') ?? '[]') };
  }
  return (
    <EditDialog
      title="Edit and resubmit"
      label="The record as JSON"
      initial={initial ?? '{}'}
      remark={initial === undefined ? 'What was received is no JSON. Write the JSON that takes its place.' : undefined}
      look="Show what becomes of it"
      act="Resubmit 1 rejection"
      run={run}
      preview={({ response, preview }) => <Foreseen response={response} preview={preview} />}
      done={({ response }) =>
        [resultOf(outcomeOf(response), 'rejection', 'resubmitted'), ...remarksOf(response)].join(' ')
      }
      onClose={onClose}
    />
  );
}

const remarksOf = (response: Schema<'ResubmitResponse'>): readonly string[] => outcomeOf(response).remarks ?? [];

function Foreseen({ response, preview }: Seen) {
  const isRefused = response.rejected > 0;
  return (
    <div role="status" className="stack">
      {remarksOf(response).map((remark) => (
        <p key={remark} className={isRefused ? 'fault' : undefined}>
          <Text>{remark}</Text>
        </p>
      ))}
      {response.preview.length > 0 && (
        <pre className="code" tabIndex={0} aria-label="Event">
          {preview}
        </pre>
      )}
    </div>
  );
}
