import { formatCount } from '../format/numbers';
import type { BulkButton } from './bulk-buttons';
import type { BulkAction } from './bulk-dialog';

/** So many are tried before all of them. */
const FIRST_FEW = 5;

interface Group<Selection> {
  all: Selection;
  some: (ids: string[]) => Selection;
  /** Ids of the rows that are ticked. */
  chosen: string[];
  /** Ids of the rows shown, newest first. */
  newest: string[];
}

/** The buttons of a group: on what is ticked, on a few first, and on all. `mend` is what a person came for. */
export function groupButtons<Selection>(
  { all, some, chosen, newest }: Group<Selection>,
  mend: (selection: Selection) => BulkAction,
  discard: (selection: Selection) => BulkAction,
): BulkButton[] {
  const { verb } = mend(all);
  const count = formatCount(chosen.length);
  return [
    ...(chosen.length === 0
      ? []
      : [
          { label: `${verb} ${count} chosen …`, action: mend(some(chosen)) },
          { label: `Discard ${count} chosen …`, action: discard(some(chosen)) },
        ]),
    ...(newest.length > FIRST_FEW
      ? [{ label: `${verb} ${FIRST_FEW} first …`, action: mend(some(newest.slice(0, FIRST_FEW))) }]
      : []),
    // Without rows there are no buttons, but the dialog that has emptied the group stays.
    ...(newest.length === 0
      ? []
      : [
          { label: `${verb} all …`, isPrimary: true, action: mend(all) },
          { label: 'Discard all …', action: discard(all) },
        ]),
  ];
}
