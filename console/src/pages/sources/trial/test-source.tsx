import { useMutation } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';
import { Dialog } from '../../../parts/dialog';
import { Fault } from '../../../parts/fault';
import { testRequestOf, type TestDraft } from './test-draft';
import { TestResult } from './test-result';
import { tryRequest } from './try-request';

interface Props {
  sourceId: string;
  initial: TestDraft;
  /** Something to know about the request before it is tried. */
  remark?: string | undefined;
  onClose: () => void;
}

const METHODS: TestDraft['method'][] = ['POST', 'PUT', 'GET', 'OPTIONS'];

/** Takes a request through all the steps of the source, and stores nothing. */
export function TestSource({ sourceId, initial, remark, onClose }: Props) {
  const [draft, setDraft] = useState(initial);
  const ids = { method: useId(), path: useId(), query: useId(), headers: useId(), body: useId() };
  const test = useMutation({ mutationFn: () => tryRequest(sourceId, testRequestOf(draft)) });
  const set = (change: Partial<TestDraft>) => setDraft((before) => ({ ...before, ...change }));
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (!test.isPending) test.mutate();
  }
  return (
    <Dialog title="Test a request" isOpen isWide mayClose={!test.isPending} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p>The source takes all its steps and says what each found. Nothing is stored.</p>
        {remark !== undefined && <p className="note">{remark}</p>}
        <div className="filters">
          <div className="field">
            <label htmlFor={ids.method}>Method</label>
            <select
              id={ids.method}
              value={draft.method}
              onChange={(event) => set({ method: event.target.value as TestDraft['method'] })}
            >
              {METHODS.map((method) => (
                <option key={method}>{method}</option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor={ids.path}>Path behind the token</label>
            <input id={ids.path} value={draft.path} onChange={(event) => set({ path: event.target.value })} />
          </div>
          <div className="field">
            <label htmlFor={ids.query}>Query</label>
            <input id={ids.query} value={draft.query} onChange={(event) => set({ query: event.target.value })} />
          </div>
        </div>
        <label htmlFor={ids.headers}>Headers, one in a line</label>
        <textarea
          id={ids.headers}
          className="editor"
          rows={4}
          spellCheck={false}
          value={draft.headers}
          onChange={(event) => set({ headers: event.target.value })}
        />
        <label htmlFor={ids.body}>{draft.bodyBase64 === undefined ? 'Body' : 'Body (it is no text: in base64)'}</label>
        <textarea
          id={ids.body}
          className="editor"
          rows={8}
          spellCheck={false}
          value={draft.bodyBase64 ?? draft.body}
          onChange={(event) =>
            set(draft.bodyBase64 === undefined ? { body: event.target.value } : { bodyBase64: event.target.value })
          }
        />
        {test.error && <Fault error={test.error} />}
        {test.data && <TestResult tried={test.data} />}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={test.isPending}>
            Close
          </button>
          <button type="submit" className="primary" disabled={test.isPending}>
            {test.isPending ? 'Testing …' : 'Test 1 request'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
