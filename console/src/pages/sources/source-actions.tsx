import { useState } from 'react';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { SwitchDialog, type Switch } from '../../actions/switch-dialog';
import { useMay } from '../../session/caller';
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
  const [open, setOpen] = useState<'switch' | 'test'>();
  const close = () => setOpen(undefined);
  return (
    <>
      {maySupport && (
        <button type="button" onClick={() => setOpen('test')}>
          Test a request …
        </button>
      )}
      {mayOperate && (
        <button type="button" onClick={() => setOpen('switch')}>
          {SWITCHES[source.status].label} …
        </button>
      )}
      {open === 'switch' && <SwitchDialog id={source.id} noun="source" of={SWITCHES[source.status]} onClose={close} />}
      {open === 'test' && <TestSource sourceId={source.id} initial={EMPTY_DRAFT} onClose={close} />}
    </>
  );
}
