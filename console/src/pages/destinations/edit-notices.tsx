import { useId } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { HoursFields } from '../../parts/forms/hours-fields';
import { noticesIn, SEVERITIES } from './notices-form';

interface Props {
  destination: Schema<'DestinationResponse'>;
  onClose: () => void;
}

/** Changes which operator events a destination of the tenant `streamforge` gets, and when. */
export function EditNotices({ destination: { id, minSeverity, quietHours }, onClose }: Props) {
  const selectId = useId();
  return (
    <FormDialog
      title="Severity and quiet hours"
      act="Change 1 destination"
      run={(form) => act('patch', '/v1/admin/destinations/{id}', { path: { id }, body: noticesIn(form) })}
      onClose={onClose}
    >
      <label htmlFor={selectId}>From this severity on</label>
      <select id={selectId} name="minSeverity" defaultValue={minSeverity ?? 'info'}>
        {SEVERITIES.map(([severity, meaning]) => (
          <option key={severity} value={severity}>
            {meaning}
          </option>
        ))}
      </select>
      <p className="hint">In quiet hours only critical events are sent, and the others when the hours end.</p>
      <HoursFields
        hours={quietHours}
        zoneLabel="Time zone of the quiet hours (empty: no quiet hours)"
        daysLabel="Quiet on"
      />
    </FormDialog>
  );
}
