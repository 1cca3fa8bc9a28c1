/** What one part of the drill counted. Undefined: it does not apply. */
export interface Tally {
  acknowledged: number;
  lost: number;
  listed?: number;
  sentAgain: number;
  acceptedAgain: number;
  trueDuplicates: number;
  sentByOperator?: number;
  parked?: number;
  completed: number;
  delivered: number;
  deliveredTwice?: number;
  deliveredAndLost?: number;
}

const ROWS: Record<keyof Tally, string> = {
  acknowledged: 'events acknowledged',
  lost: '  lost by the database',
  listed: '  found with the old primary',
  sentAgain: 'sent again by the producer',
  acceptedAgain: '  accepted again',
  trueDuplicates: '  duplicates of events that are stored',
  sentByOperator: 'sent again by the operator',
  parked: 'messages of lost events, parked',
  completed: 'events stored and COMPLETED at the end',
  delivered: '  of these delivered',
  deliveredTwice: '  of these delivered twice, with one webhook-id',
  deliveredAndLost: 'delivered before they were lost',
};

/** One column for each part of the drill. */
export function drillTable(columns: readonly (readonly [name: string, tally: Tally])[]): string {
  const labels = Object.entries(ROWS) as [keyof Tally, string][];
  const left = Math.max(...labels.map(([, label]) => label.length));
  const line = (label: string, cells: readonly string[]): string =>
    [label.padEnd(left), ...cells.map((cell, i) => cell.padStart((columns[i]?.[0] ?? '').length))]
      .join('   ')
      .trimEnd();
  const rows = labels.map(([key, label]) =>
    line(
      label,
      columns.map(([, tally]) => String(tally[key] ?? '–')),
    ),
  );
  const names = columns.map(([name]) => name);
  return [line('', names), ...rows].join('\n');
}
