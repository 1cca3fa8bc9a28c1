import { useState } from 'react';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { SwitchDialog, type Switch } from '../../actions/switch-dialog';
import { useMay } from '../../session/caller';
import { Backfill } from './backfill';
import { EditNotices } from './edit-notices';
import { EditOrder } from './edit-order';
import { NewSecret } from './new-secret';
import { RulesEditor } from './rules-editor';
import { TestDialog } from './test-dialog';

/** Its destinations get operator events. */
const OPERATOR_TENANT = 'streamforge';

type Destination = Schema<'DestinationWithHealth'>;

export function DestinationActions({ destination }: { destination: Destination }) {
  const mayOperate = useMay('operator');
  const [open, setOpen] = useState<'switch' | 'test' | 'rules' | 'order' | 'notices' | 'backfill' | 'secret'>();
  const close = () => setOpen(undefined);
  if (!mayOperate) return null;
  return (
    <>
      <button type="button" onClick={() => setOpen('test')}>
        Send a test …
      </button>
      <button type="button" onClick={() => setOpen('rules')}>
        Edit the rules …
      </button>
      <button type="button" onClick={() => setOpen('order')}>
        Order …
      </button>
      {destination.tenantId === OPERATOR_TENANT && (
        <button type="button" onClick={() => setOpen('notices')}>
          Severity and quiet hours …
        </button>
      )}
      {destination.enabled && (
        <button type="button" onClick={() => setOpen('backfill')}>
          Backfill …
        </button>
      )}
      <button type="button" onClick={() => setOpen('secret')}>
        New secret …
      </button>
      <button type="button" onClick={() => setOpen('switch')}>
        {SWITCHES[destination.status].label} …
      </button>
      {open === 'switch' && (
        <SwitchDialog id={destination.id} noun="destination" of={SWITCHES[destination.status]} onClose={close} />
      )}
      {open === 'backfill' && <Backfill destinationId={destination.id} onClose={close} />}
      {open === 'secret' && <NewSecret destination={destination} onClose={close} />}
      {open === 'rules' && <RulesEditor destination={destination} onClose={close} />}
      {open === 'order' && <EditOrder destination={destination} onClose={close} />}
      {open === 'notices' && <EditNotices destination={destination} onClose={close} />}
      {open === 'test' && <TestDialog destinationId={destination.id} onClose={close} />}
    </>
  );
}

/** What can be done about each status. */
const SWITCHES: Record<Destination['status'], Switch> = {
  active: {
    label: 'Pause',
    effect: 'Deliveries are recorded, and wait until somebody resumes the destination. Nothing is lost.',
    run: (id) => act('post', '/v1/admin/destinations/{id}/pause', { path: { id } }),
  },
  paused: {
    label: 'Resume',
    effect: 'Waiting deliveries are made, as fast as the limits of the destination allow.',
    run: (id) => act('post', '/v1/admin/destinations/{id}/resume', { path: { id } }),
  },
  disabled: {
    label: 'Enable',
    effect: 'New events are delivered again. Events that were skipped meanwhile are not; a backfill sends them.',
    run: (id) => act('patch', '/v1/admin/destinations/{id}', { path: { id }, body: { enabled: true } }),
  },
};
