import { FormDialog } from '../../actions/form-dialog';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { SilenceFields } from '../silence/silence-fields';
import { silenceFieldsIn } from '../silence/silence-form';

/** Changes how often a source is expected to send, and when. */
export function EditSilence({ source, onClose }: { source: Schema<'SourceResponse'>; onClose: () => void }) {
  return (
    <FormDialog
      title={`What is expected of ${source.name}`}
      act="Change 1 source"
      run={(form) => act('patch', '/v1/admin/sources/{id}', { path: { id: source.id }, body: silenceFieldsIn(form) })}
      onClose={onClose}
    >
      <p className="hint">A source that is silent for longer is told as the operator event source.silent.</p>
      <SilenceFields rule={source} />
    </FormDialog>
  );
}
