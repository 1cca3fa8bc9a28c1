import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { act, remove } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { SwitchDialog, type Switch } from '../../actions/switch-dialog';
import { useMay } from '../../session/caller';
import { EditSilence } from './edit-silence';
import { FilterEditor } from './filter-editor';
import { EMPTY_DRAFT } from './trial/test-draft';
import { TestSource } from './trial/test-source';

type Source = Schema<'SourceResponse'>;

const setStatus = (status: Source['status']) => (id: string) =>
  act('patch', '/v1/admin/sources/{id}', { path: { id }, body: { status } });

/** What can be done about each status. */
const SWITCHES: Record<Source['status'], Switch> = {
  active: {
    label: 'Pause',
    effect:
      'Requests are answered with 503, so that the producer sends them again later. Most do so for a day or more.',
    run: setStatus('paused'),
  },
  paused: {
    label: 'Resume',
    effect: 'Requests are taken again. What the producer has given up meanwhile does not come.',
    run: setStatus('active'),
  },
};

export function SourceActions({ source }: { source: Source }) {
  const maySupport = useMay('support');
  const mayOperate = useMay('operator');
  const [open, setOpen] = useState<'switch' | 'test' | 'filter' | 'expected' | 'delete'>();
  const navigate = useNavigate();
  const close = () => setOpen(undefined);
  const deletion: Switch = {
    label: 'Delete',
    effect: 'Requests to its URL are answered with 404. Its events and rejections stay, and go on without its name.',
    isFinal: true,
    run: async (id) => {
      await remove('/v1/admin/sources/{id}', { id });
      await navigate({ to: '/sources', search: { tenantId: source.tenantId } });
    },
  };
  return (
    <>
      {maySupport && (
        <button type="button" onClick={() => setOpen('test')}>
          Test a request …
        </button>
      )}
      {mayOperate && (
        <>
          <button type="button" onClick={() => setOpen('filter')}>
            Edit the filter …
          </button>
          <button type="button" onClick={() => setOpen('expected')}>
            What is expected …
          </button>
          <button type="button" onClick={() => setOpen('switch')}>
            {SWITCHES[source.status].label} …
          </button>
          <button type="button" className="danger-quiet" onClick={() => setOpen('delete')}>
            Delete …
          </button>
        </>
      )}
      {open === 'switch' && <SwitchDialog id={source.id} noun="source" of={SWITCHES[source.status]} onClose={close} />}
      {open === 'delete' && <SwitchDialog id={source.id} noun="source" of={deletion} onClose={close} />}
      {open === 'filter' && <FilterEditor source={source} onClose={close} />}
      {open === 'expected' && <EditSilence source={source} onClose={close} />}
      {open === 'test' && <TestSource sourceId={source.id} initial={EMPTY_DRAFT} onClose={close} />}
    </>
  );
}
