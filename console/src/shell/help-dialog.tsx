import { Dialog } from '../parts/dialog';
import { useCaller } from '../session/caller';
import { menuOf } from './menu';

const KEYS: [string, string][] = [
  ['/', 'search'],
  ['Ctrl K, ⌘ K', 'go to a page, or do what a page can do'],
  ['j, k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['?', 'this list'],
  ['Esc', 'close a dialog'],
];

const WORDS: [string, string][] = [
  ['01a20bbe-… or sale-1001', 'the event with this id, or with this id of its producer'],
  ['status:DLQ', 'RECEIVED, PUBLISHED, DELIVERING, RETRYING, COMPLETED, DLQ or DISCARDED'],
  ['type:order.*', 'a type, or its beginning'],
  ['subject:"order 7"', 'a subject; quotes keep spaces together'],
  ['tenant:acme', 'a tenant'],
  ['reason:HTTP_5XX', 'a reason code; finds dead letters'],
  ['dest:…, source:…, cor:…', 'id of a destination, source, correlation id'],
];

export function HelpDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const pages = menuOf(useCaller()).map(({ key, name }): [string, string] => [`g ${key}`, name.toLowerCase()]);
  return (
    <Dialog title="Keys and search" isOpen={isOpen} onClose={onClose}>
      <Table caption="Keys" rows={[...KEYS, ...pages]} />
      <Table caption="What the search understands" rows={WORDS} />
      <div className="actions end">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Table({ caption, rows }: { caption: string; rows: [string, string][] }) {
  return (
    <table className="plain-table">
      <caption>{caption}</caption>
      <tbody>
        {rows.map(([what, meaning]) => (
          <tr key={what}>
            <th scope="row">
              <kbd>{what}</kbd>
            </th>
            <td>{meaning}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
